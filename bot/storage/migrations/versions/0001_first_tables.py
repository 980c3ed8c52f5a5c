"""The first tables: conversations, messages, check-ins with answers, trackers to delete."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("token_hash", sa.String(64), unique=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("consent", sa.Boolean()),
        sa.Column("consent_at", moment),
        sa.Column("norm_kind", sa.String(64)),
        sa.Column("norm_label", sa.String(200)),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_seen_at", moment, nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False, server_default="1"),
    )
    op.create_table(
        "messages",
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("content_hash", sa.String(64)),
        sa.Column("reply_to", sa.BigInteger()),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.UniqueConstraint("conversation_id", "client_id"),
    )
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_messages_pending",
        "messages",
        ["conversation_id", "seq"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_table(
        "check_ins",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment),
    )
    op.create_index("ix_check_ins_conversation", "check_ins", ["conversation_id", "started_at"])
    op.create_table(
        "answers",
        sa.Column(
            "check_in_id", sa.String(32), sa.ForeignKey("check_ins.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("item", sa.String(64), primary_key=True),
        sa.Column("value", sa.BigInteger()),
        sa.Column("answered_at", moment, nullable=False),
    )
    op.create_table(
        "forgotten",
        sa.Column("conversation_id", sa.String(64), primary_key=True),
        sa.Column("requested_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables, children first."""
    for table in ("forgotten", "answers", "check_ins", "messages", "conversations"):
        op.drop_table(table)

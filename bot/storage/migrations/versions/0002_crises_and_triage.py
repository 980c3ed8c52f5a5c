"""Crises, the tally of the guard, answers of several choices, and what triage found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    moment = sa.DateTime(timezone=True)
    op.add_column("conversations", sa.Column("engine_command", sa.Text()))
    op.add_column("answers", sa.Column("codes", sa.JSON()))
    op.add_column("check_ins", sa.Column("triage", sa.JSON()))
    op.create_table(
        "crises",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("third_party", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_crises_conversation", "crises", ["conversation_id", "last_seq"])
    op.create_table(
        "guard_tally",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("event", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Drop them; only for work on the migrations themselves."""
    op.drop_table("guard_tally")
    op.drop_table("crises")
    op.drop_column("check_ins", "triage")
    op.drop_column("answers", "codes")
    op.drop_column("conversations", "engine_command")

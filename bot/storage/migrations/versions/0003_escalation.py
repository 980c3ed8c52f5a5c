"""Coaches: cases, the desk's accounts, notifications, the audit log, and who answers a conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and columns."""
    whole = sa.BigInteger()
    op.add_column("conversations", sa.Column("owner", sa.String(8), server_default="bot", nullable=False))
    op.add_column("conversations", sa.Column("seen_seq", whole, server_default="0", nullable=False))
    op.add_column("conversations", sa.Column("delivered_seq", whole, server_default="0", nullable=False))
    op.add_column("messages", sa.Column("author", sa.String(200)))
    op.add_column("messages", sa.Column("case_id", sa.String(32)))
    op.create_table(
        "hand_offs",
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("email", sa.String(254), unique=True, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("organisation", sa.String(64)),
        sa.Column("region", sa.String(32)),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("totp_secret", sa.String(64)),
        sa.Column("totp_step", whole, server_default="0", nullable=False),
        sa.Column("recovery_hashes", sa.JSON(), nullable=False),
        sa.Column("failures", whole, server_default="0", nullable=False),
        sa.Column("locked_until", MOMENT),
        sa.Column("presence", sa.String(16), server_default="away", nullable=False),
        sa.Column("presence_at", MOMENT),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT),
    )
    op.create_table(
        "desk_sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("passed_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_index("ix_desk_sessions_account", "desk_sessions", ["account_id"])
    _cases(whole)
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("dedupe", sa.String(200), unique=True, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", whole, server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("error", sa.String(200)),
    )
    op.create_index("ix_notifications_due", "notifications", ["state", "next_try_at"])
    op.create_table(
        "installation",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.String(128), nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column("seq", whole, primary_key=True, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def _cases(whole: sa.BigInteger) -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("number", whole, unique=True, nullable=False),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversations.id", ondelete="SET NULL")),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("urgency", sa.String(8), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("claimed_at", MOMENT),
        sa.Column("contacted_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("outcome", sa.String(32)),
        sa.Column("follow_up_on", sa.String(10)),
        sa.Column("flagged_at", MOMENT),
        sa.Column("contact", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON()),
        sa.Column("words", sa.Text()),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("return_code_hash", sa.String(200), unique=True),
        sa.Column("turn_of", sa.String(8)),
        sa.Column("turn_since", MOMENT),
    )
    still_open = sa.text("state != 'closed'")
    shown = ["urgency", "due_at", "number", "organisation", "region", "state", "owner_id", "contacted_at"]
    op.create_index("ix_cases_open", "cases", shown, sqlite_where=still_open, postgresql_where=still_open)
    op.create_index("ix_cases_all", "cases", [*shown, "opened_at", "claimed_at", "closed_at", "outcome"])
    op.create_index("ix_cases_closed", "cases", ["closed_at", "organisation", "region", "outcome"])
    op.create_index("ix_cases_owner", "cases", ["owner_id", "state"])
    op.create_index("ix_cases_conversation", "cases", ["conversation_id"])
    op.create_table(
        "case_events",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.String(32), sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    op.create_index("ix_case_events_case", "case_events", ["case_id", "id"])


def downgrade() -> None:
    """Drop them; only for work on the migrations themselves."""
    for table in (
        "audit_log",
        "installation",
        "notifications",
        "case_events",
        "cases",
        "desk_sessions",
        "accounts",
        "hand_offs",
    ):
        op.drop_table(table)
    op.drop_column("messages", "case_id")
    op.drop_column("messages", "author")
    op.drop_column("conversations", "delivered_seq")
    op.drop_column("conversations", "seen_seq")
    op.drop_column("conversations", "owner")

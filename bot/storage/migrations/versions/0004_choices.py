"""What people meant where the assistant was not sure; holds nothing that leads back to a person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "choices",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.String(64), nullable=False),
        sa.Column("reviewed_at", MOMENT),
    )
    op.create_index("ix_choices_at", "choices", ["at"])


def downgrade() -> None:
    """Drop it; only for work on the migrations themselves."""
    op.drop_table("choices")

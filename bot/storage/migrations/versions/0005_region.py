"""Where a person is, so that they read the help lines that answer there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("conversations", sa.Column("region", sa.String(32)))


def downgrade() -> None:
    """Drop it; only for work on the migrations themselves."""
    op.drop_column("conversations", "region")

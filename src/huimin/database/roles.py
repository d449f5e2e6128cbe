"""The three database roles: the owner migrates, the application queries under row-level security, maintenance backs
up and moves data across scopes (it alone bypasses row-level security)."""

OWNER = "huimin_owner"
APPLICATION = "huimin_app"
MAINTENANCE = "huimin_maintenance"

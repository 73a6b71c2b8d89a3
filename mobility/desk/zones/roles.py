"""Who looks at zones and who draws them."""

from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.states import Role

EDITORS = (Role.FLEET_OPERATOR, Role.CITY_OFFICER)
VIEWERS = (*sorted(FLEET_STAFF), Role.CITY_OFFICER)

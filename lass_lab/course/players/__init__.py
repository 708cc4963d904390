"""Sound in a notebook, the report and the site: one player for each set of sounds, and what a page sends back."""

from lass_lab.course.players.sets import LEVEL_DB as LEVEL_DB
from lass_lab.course.players.sets import player_html as player_html
from lass_lab.course.players.sets import player_script as player_script
from lass_lab.course.players.sets import players as players

"""The tests. Nobody writes descriptions in `#:` comments, for which the ORM would parse a model's whole file, once for each
model and once more for every one that a migration makes."""

from tortoise import models

models._get_comments = lambda cls: {}

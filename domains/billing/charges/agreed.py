"""What is agreed for a house on a day (约定): its percent of the price, a coefficient, and less while it is vacant."""

from __future__ import annotations

AGREED = """
LEFT JOIN LATERAL (
    SELECT a.percent, a.coefficient FROM fee_agreement a
    WHERE a.house_id = {house} AND a.fee_item_id = {item}
      AND a.from_on <= {day} AND coalesce(a.until_on, 'infinity'::date) > {day}
    ORDER BY a.from_on DESC LIMIT 1) AS agreed ON true"""

VACANT = """EXISTS (SELECT FROM vacancy v WHERE v.house_id = {house} AND v.state = 'approved'
        AND v.from_on <= {day} AND v.until_on > {day})"""

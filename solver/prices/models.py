"""Prices as rows. A price is never changed: a new one is valid from its day on, a mistaken one is removed."""

from __future__ import annotations

from django.db import models


class PriceRow(models.Model):
    """Per million tokens. `table` is the engine's name, or the `price_table` that engines share."""

    table = models.CharField(max_length=64, db_index=True)
    model = models.CharField(max_length=200, blank=True)  # "": every model without a price of its own
    input = models.DecimalField(max_digits=12, decimal_places=6)
    cached_input = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    output = models.DecimalField(max_digits=12, decimal_places=6)
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["table", "model", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["table", "model", "valid_from"], name="price_once")]

    def __str__(self) -> str:
        return f"price of {self.model or 'every model'} in {self.table} from {self.valid_from}"

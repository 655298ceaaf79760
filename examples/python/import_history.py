"""Import what was used before, and ask what a project cost.

Needs API_KEY (the tracker's address), AICT_API_KEY (a tracker key) and PROJECT_ID.
"""

import os
from decimal import Decimal

from ai_cost_tracker import AICostOptimizer

with AICostOptimizer() as optimizer:
    # The same request_id is the same record: the import can be run again.
    outcome = optimizer.bulk_import(
        [
            {
                "request_id": "mail-1",
                "model": "gpt-3.5-turbo",
                "cost": Decimal("0.002"),
                "tokens": 150,
                "timestamp": "2024-01-15T10:30:00Z",
            },
            {
                "request_id": "mail-2",
                "model": "gpt-4o-mini",
                "prompt_tokens": 1000,
                "completion_tokens": 500,
                "timestamp": "2024-08-02T08:00:00Z",
            },
        ]
    )
    print("imported:", outcome.successful, "known before:", outcome.duplicates)
    analytics = optimizer.get_project_analytics(
        os.environ["PROJECT_ID"], start_date="2024-01-01", end_date="2024-12-31"
    )
    print("total cost:", analytics["summary"]["totalCost"])

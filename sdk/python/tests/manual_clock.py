class ManualClock:
    """Time that moves when somebody sleeps."""

    def __init__(self, chance=0.999):
        # 2026-01-01T00:00:00Z
        self.begin = 1767225600.0
        self.time = self.begin
        self.chance = chance
        self.keys = 0

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds

    def random(self):
        return self.chance

    def unique_key(self):
        self.keys += 1
        return f"key-{self.keys}"

    @property
    def elapsed(self):
        return round(self.time - self.begin, 3)

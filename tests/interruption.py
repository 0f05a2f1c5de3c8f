"""A user who presses Control-C at a certain moment of a training."""

from mien.training.module import ExpressionModule


def interrupt_at(monkeypatch, count):
    """Let the user interrupt when so many epochs are validated; returns the number so far."""
    seen = []
    validated = ExpressionModule.on_validation_epoch_end

    def end(self):
        seen.append(self.current_epoch)
        if len(seen) == count:
            raise KeyboardInterrupt
        validated(self)

    monkeypatch.setattr(ExpressionModule, "on_validation_epoch_end", end)
    return seen

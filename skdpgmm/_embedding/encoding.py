"""From items to embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdpgmm._embedding.batches import Batches, loaded_batches
from skdpgmm._embedding.outputs import (
    as_rows,
    call,
    check_rows_stand_alone,
    named_items,
    unit_rows,
)
from skdpgmm._embedding.runtime import at_layer, compiled, progress, ready


class EncoderMixin:
    """The passes of a transformer through its module."""

    # Declared for the type checker; set by the estimator.
    module: Any
    preprocess: Any
    preprocess_level: Any
    layer: Any
    pooling: Any
    normalize: Any
    batch_size: Any
    num_workers: Any
    device: Any
    autocast: Any
    compile: Any

    def _embed(self, items: Any, verbose: bool = False, task: Any = None) -> np.ndarray:
        if self.compile is not False and self.layer is not None:
            raise ValueError(
                f"compile must be False with layer={self.layer!r}: compiled code does "
                f"not show what its layers return; got compile={self.compile!r}."
            )
        try:
            return self._embed_in_layout(items, True, verbose, task)
        except RuntimeError as error:
            # `view` joins dimensions that are neighbours in memory, which those of a
            # feature map are not when its channels come last. The first batch tells.
            if "view size is not compatible" not in str(error):
                raise
            return self._embed_in_layout(items, False, verbose, task)

    def _embed_in_layout(
        self, items: Any, channels_last: bool, verbose: bool, task: Any
    ) -> np.ndarray:
        with (
            ready(self.module, "module", self.device, channels_last, self.autocast) as (
                module,
                form,
            ),
            at_layer(compiled(module, self.compile), self.layer) as run,
        ):
            batches = Batches(
                items, self.batch_size, self.preprocess, self.preprocess_level
            )

            def forward(inputs, numbers):
                given = form.of(inputs, everything=self.preprocess is None)
                with named_items("module was given items of X from", numbers):
                    output = call(run, given)
                return as_rows(output, inputs, numbers, self.pooling)

            loaded = loaded_batches(batches, self.num_workers, form.device)
            for i, inputs in enumerate(
                progress(loaded, len(batches), "embed", verbose)
            ):
                step = task and task.subcontext("batch")
                if step:
                    step.call_on_fit_task_begin(estimator=self)
                numbers = batches.numbers(i)
                rows = forward(inputs, numbers)
                if i == 0:
                    check_rows_stand_alone(
                        batches.inputs_of, forward, rows, form.tolerance
                    )
                    Z = np.empty((len(items), rows.shape[1]), dtype=np.float32)
                if rows.shape[1] != Z.shape[1]:
                    raise ValueError(
                        "module must return as many outputs for each batch; got "
                        f"{Z.shape[1]} and {rows.shape[1]}."
                    )
                rows = unit_rows(rows) if self.normalize else rows
                Z[numbers.start : numbers.stop] = rows.cpu().numpy()
                if step:
                    step.call_on_fit_task_end(estimator=self)
        return Z

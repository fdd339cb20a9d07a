"""From noisy numbers to estimates: releases and public numbers only."""

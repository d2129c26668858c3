"""The denoiser of a kernel density compared with its two matrix products alone."""

import numpy as np

from skanomaly.generation import DiffusionSampler, MixtureDenoiser


class Denoise:
    params = ("denoiser", "two products")
    param_names = ("what",)
    timeout = 300

    def setup(self, _):
        random = np.random.default_rng(0)
        self.centers, self.rows = random.normal(size=(20_000, 20)), random.normal(size=(2_000, 20))
        self.denoiser = MixtureDenoiser().fit(self.centers)

    def time_denoise(self, what):
        if what == "denoiser":
            self.denoiser.denoise(self.rows, 1.0)
            return
        for start in range(0, len(self.rows), 256):
            for first in range(0, len(self.centers), 1024):
                part = self.centers[first : first + 1024]
                (self.rows[start : start + 256] @ part.T) @ part

    def peakmem_denoise(self, what):
        self.time_denoise(what)


class Generate:
    timeout = 300

    def setup(self):
        self.sampler = DiffusionSampler(n_steps=50, random_state=0)
        self.sampler.fit(np.random.default_rng(0).normal(size=(2_000, 8)))

    def time_diffusion(self):
        self.sampler.sample(500)

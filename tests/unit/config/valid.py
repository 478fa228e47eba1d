"""The smallest configuration, to be changed by a test."""

VALID = """\
models:
  small:
    backend: openai
    model: gpt-x
    family: gpt
    timeout_s: 5
ensembles:
  default:
    pattern: jury
    jurors:
      - model: small
"""

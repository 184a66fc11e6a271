"""A model file of the user's (GGUF), served by llama.cpp in a child of ours (xllamacpp).

The rule a reader must not break: the engine of the model is never loaded into this process. It is
compiled for one kind of processor and may end with a signal; only a child may die of that.
"""

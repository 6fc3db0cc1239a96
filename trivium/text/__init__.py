"""Between text and token ids: tokenizers trained, loaded and saved in Hugging Face's layout, and what they cost.

Read `tokenizer` (the class that everything else holds), then `recipes` (how each of the three kinds is made),
`training`, and `fertility` (what a tokenizer does to a text, in numbers). `chat` puts conversations into a model's own
form. `older` reads the files from before tokenizer.json. `gguf` writes a decoder with its tokenizer for llama.cpp;
`gguf_vocabulary` has the tokenizer's part of such a file both ways, and `gguf_words` how words are cut there.
"""

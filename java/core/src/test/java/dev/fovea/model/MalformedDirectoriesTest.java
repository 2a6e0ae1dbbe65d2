package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Directories that cannot be loaded, and the one line that says why; {@code DIR} in it stands for the directory. */
class MalformedDirectoriesTest {
    private static final String LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 90868376\n";
    private static final String LONG = "x".repeat(400_000);
    private static final String SETTINGS = "config_sentence_transformers.json";
    private static final String MODULES = "modules.json";
    private static final String POOLING = "1_Pooling/config.json";
    private static final String TOKENIZER = "tokenizer.json";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String SENTENCE = "sentence_bert_config.json";
    private static final String TRANSFORMER = "{\"type\": \"sentence_transformers.models.Transformer\", \"path\": \"%s\"}";

    @TempDir
    private Path directory;

    /** What is done to a directory that can be loaded. */
    private interface Edit {
        void apply(ModelDirectory directory) throws IOException;
    }

    private record Case(String name, Edit edit, String message) {}

    private final List<Case> cases = new ArrayList<>();

    private void add(String name, String message, Edit edit) {
        cases.add(new Case(name, edit, message));
    }

    private void addMissingFiles() {
        add("no config.json", "model directory DIR has no config.json", d -> d.delete(CONFIG));
        add("an adapter alone", "model directory DIR has no config.json, but adapter_config.json: a PEFT adapter, to be merged into"
                + " its model first", d -> d.delete(CONFIG).write("adapter_config.json", "{}"));
        add("the cache of Hugging Face", "model directory DIR has no config.json, but snapshots: a cache of Hugging Face's, of which a"
                + " directory in snapshots is the model", d -> d.delete(CONFIG).write("snapshots/1a/config.json", "{}"));
        add("an old layout without its list", "model directory DIR has no config.json, but 0_Transformer, and no modules.json that says so", d -> d.delete(CONFIG).write("0_Transformer/config.json", "{}"));
        add("no tokenizer", "model directory DIR has no tokenizer.json and no vocab.txt", d -> d.delete(TOKENIZER));
        add("a tokenizer of SentencePiece", "model directory DIR has no tokenizer.json and no vocab.txt, but sentencepiece.bpe.model, which is"
                + " not read", d -> d.delete(TOKENIZER).write("sentencepiece.bpe.model", "x"));
        add("a tokenizer of two files", "model directory DIR has no tokenizer.json and no vocab.txt, but vocab.json, merges.txt, which are"
                + " not read", d -> d.delete(TOKENIZER).write("vocab.json", "{}").write("merges.txt", ""));
        add("no weights", "model directory DIR has none of model.safetensors, model.safetensors.index.json, model.onnx,"
                + " onnx/model.onnx", d -> d.delete(WEIGHTS));
        add("a pickle", "model directory DIR has none of model.safetensors, model.safetensors.index.json, model.onnx,"
                + " onnx/model.onnx, but pytorch_model.bin, which is not read (a Python pickle; save it with"
                + " transformers' save_pretrained(…, safe_serialization=True))", d -> d.delete(WEIGHTS).write("pytorch_model.bin", "x"));
        add("pickles in shards", "model directory DIR has none of model.safetensors, model.safetensors.index.json, model.onnx,"
                + " onnx/model.onnx, but pytorch_model.bin.index.json, which is not read (a Python pickle; save it"
                + " with transformers' save_pretrained(…, safe_serialization=True))", d -> d.delete(WEIGHTS).write("pytorch_model.bin.index.json", "{}"));
        add("weights of TensorFlow", "model directory DIR has none of model.safetensors, model.safetensors.index.json, model.onnx,"
                + " onnx/model.onnx, but tf_model.h5, which is not read", d -> d.delete(WEIGHTS).write("tf_model.h5", "x"));
        add("a link to nothing", "model directory DIR has none of model.safetensors, model.safetensors.index.json, model.onnx,"
                + " onnx/model.onnx; model.safetensors is a link to a file that is not there", d -> {
            d.delete(WEIGHTS);
            Files.createSymbolicLink(d.path().resolve(WEIGHTS), Path.of("../../blobs/4d7a"));
        });
        add("weights in a folder", "DIR/model.safetensors: expected a file, got a directory", d -> Files.createDirectory(d.delete(WEIGHTS).path().resolve(WEIGHTS)));
    }

    private void addPointers() {
        for (String file : List.of(CONFIG, TOKENIZER, WEIGHTS, MODULES, SENTENCE)) {
            add("LFS " + file, "DIR/" + file + ": expected the file, got its Git LFS pointer; 'git lfs pull' gets the file",
                    d -> d.write(file, LFS));
        }
        add("LFS model.onnx", "DIR/model.onnx: expected the file, got its Git LFS pointer; 'git lfs pull' gets the file", d -> d.delete(WEIGHTS).write("model.onnx", LFS));
        add("LFS vocab.txt", "DIR/vocab.txt: expected the file, got its Git LFS pointer; 'git lfs pull' gets the file", d -> d.delete(TOKENIZER).write("vocab.txt", LFS));
        add("an LFS shard", "DIR/model-00001-of-00002.safetensors: expected the file, got its Git LFS pointer; 'git lfs pull'"
                + " gets the file", d -> d.delete(WEIGHTS).write("model-00001-of-00002.safetensors", LFS).write(
                "model.safetensors.index.json",
                "{\"weight_map\": {\"embeddings.word_embeddings.weight\": \"model-00001-of-00002.safetensors\"}}"));
    }

    private void addConfigs() {
        add("an empty config", "DIR/config.json, JSON: expected an object, got null", d -> d.write(CONFIG, ""));
        add("a config cut short", "DIR/config.json, JSON: not valid JSON: End of input at line 1 column 22 path $.model_type", d -> d.write(CONFIG, "{\"model_type\": \"bert\""));
        add("a config of Latin-1", "DIR/config.json, JSON: not valid UTF-8", d -> Files.write(d.path().resolve(CONFIG), new byte[] {'"', (byte) 0xe9, '"'}));
        add("a config of another kind", "DIR/config.json, JSON: expected an object, got [1,2]", d -> d.write(CONFIG, "[1, 2]"));
        add("no model_type", "DIR/config.json, model_type: the field is missing", d -> config(d, "model_type", "null"));
        add("a long model_type", "DIR/config.json, model_type: expected one of [albert, bert, camembert, clip, clip_text_model, deberta-v2, distilbert, electra,"
                + " eurobert, modernbert, mpnet, mt5, new, nomic_bert, roberta, t5, xlm-roberta], or of language models one of [gemma2,"
                + " gemma3_text, gpt2, llama, mistral, phi3, qwen2, qwen3, smollm3], got"
                + " \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxx\"", d -> config(d, "model_type", "\"" + LONG + "\""));
        add("heads that do not divide", "DIR/config.json, num_attention_heads: expected a divisor of hidden_size 33, got 7", d -> config(d, "num_attention_heads", "7"));
        add("no layers", "DIR/config.json, num_hidden_layers: expected a whole number from 1 to 2147483647, got 0", d -> config(d, "num_hidden_layers", "0"));
        add("a width that is no number", "DIR/config.json, hidden_size: expected a whole number from 1 to 2147483647, got \"33\"", d -> config(d, "hidden_size", "\"33\""));
        add("an unknown activation", "DIR/config.json, hidden_act: expected one of [gelu, gelu_fast, gelu_new, gelu_python, gelu_pytorch_tanh, quick_gelu, relu,"
                + " silu, swish, tanh], got \"mish\"", d -> config(d, "hidden_act", "\"mish\""));
        add("a decoder", "DIR/config.json, is_decoder: expected false, got true", d -> config(d, "is_decoder", "true"));
        add("relative positions", "DIR/config.json, position_embedding_type: expected \"absolute\", got \"relative_key\"", d -> config(d, "position_embedding_type", "\"relative_key\""));
        add("more words in the tokenizer", "DIR/tokenizer.json, vocabulary: expected ids below the vocab_size 49 of config.json, got 49", d -> config(d, "vocab_size", "49"));
        add("more layers than weights", "DIR/model.safetensors, encoder.layer.2.attention.self.query.weight: no such tensor, and the configuration"
                + " demands it; there are embeddings.word_embeddings.weight, embeddings.position_embeddings.weight,"
                + " embeddings.token_type_embeddings.weight, … (37 in all)", d -> config(d, "num_hidden_layers", "3"));
        add("another width than the weights", "DIR/1_Pooling/config.json, word_embedding_dimension: expected the hidden_size 36 of config.json,"
                + " got 33", d -> config(d, "hidden_size", "36"));
    }

    private void addWeights() {
        add("no header", "DIR/model.safetensors, byte 0, header length: expected 8 bytes, the file has 3", d -> d.write(WEIGHTS, "abc"));
        add("a header that is too long", "DIR/model.safetensors, byte 0, header length: expected at most 100000000 bytes, got 1099511627777", d -> d.write(WEIGHTS, "\1\0\0\0\0\1\0\0{}"));
        add("a header that is no JSON", "DIR/model.safetensors, byte 8, header: not valid JSON: malformed at line 1 column 3 path $.", d -> d.write(WEIGHTS, "\4\0\0\0\0\0\0\0{a:b"));
        add("an unknown type", "DIR/model.safetensors, byte 8, t.dtype: unknown type 'F128'", d -> header(d, "{\"t\": {\"dtype\": \"F128\", \"shape\": [], \"data_offsets\": [0, 0]}}"));
        add("no type", "DIR/model.safetensors, byte 8, t: expected dtype, shape and data_offsets, one is missing", d -> header(d, "{\"t\": {\"shape\": [], \"data_offsets\": [0, 0]}}"));
        add("a long name", "DIR/model.safetensors, byte 8,"
                + " xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                + "xxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: expected BEGIN_OBJECT, got NUMBER", d -> header(d, "{\"" + LONG + "\": 1}"));
        add("other tensors", "DIR/model.safetensors, embeddings.word_embeddings.weight: no such tensor, with no prefix nor with"
                + " one of bert., roberta., 0.auto_model., 0.model.; there are a, b", d -> header(d, "{\"a\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [0, 0]},"
                + " \"b\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [0, 0]}}"));
        add("no tensors", "DIR/model.safetensors, embeddings.word_embeddings.weight: no such tensor, with no prefix nor with"
                + " one of bert., roberta., 0.auto_model., 0.model.; there are none", d -> header(d, "{}"));
        add("an index of nothing", "DIR/model.safetensors.index.json, byte 0, weight_map: expected at least one tensor, got none", d -> d.delete(WEIGHTS).write("model.safetensors.index.json", "{\"weight_map\": {}}"));
        add("a shard elsewhere", "DIR/model.safetensors.index.json, byte 0, weight_map.a: expected the name of a .safetensors file"
                + " beside the index, got '../b.safetensors'", d -> d.delete(WEIGHTS).write("model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"../b.safetensors\"}}"));
        add("a missing shard", "DIR/b.safetensors: there is no such file", d -> d.delete(WEIGHTS).write("model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"b.safetensors\"}}"));
        add("NaN in a weight", "DIR/model.safetensors, encoder.layer.0.output.dense.weight: expected finite numbers, got NaN at [0,"
                + " 5]", d -> {
            TinyModel model = new TinyModel(1);
            model.values("encoder.layer.0.output.dense.weight")[5] = Float.NaN;
            model.write(d.path());
        });
        add("ONNX that is none", "DIR/model.onnx, byte 2, model.field 13: wire type 4 is not one of this format", d -> d.delete(WEIGHTS).write("model.onnx", "hello"));
        add("an empty ONNX", "DIR/model.onnx, byte 0, model.graph: the file holds no graph", d -> d.delete(WEIGHTS).write("model.onnx", ""));
    }

    private void addTokenizers() {
        add("a tokenizer that is no JSON", "DIR/tokenizer.json, text: not valid JSON: End of input at line 1 column 2 path $.", d -> d.write(TOKENIZER, "{"));
        add("a tokenizer without a model", "DIR/tokenizer.json, model: missing", d -> d.write(TOKENIZER, "{}"));
        add("a tokenizer of byte pairs without its parts", "DIR/tokenizer.json, model.type: expected [BPE, Unigram, WordLevel, WordPiece], got"
                + " 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxx"
                + "xx'", d -> d.write(TOKENIZER, "{\"model\": {\"type\": \"" + LONG + "\"}}"));
        add("an id that is none", "DIR/tokenizer.json, byte 47, model.vocab.a: expected an id from 0 to 2147483646, got -1", d -> d.write(TOKENIZER, "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": -1}}}"));
        add("a vocab.txt without special tokens", "DIR/vocab.txt, token: expected the special token [CLS] among the 2 tokens", d -> d.delete(TOKENIZER).write("vocab.txt", "a\nb\n"));
        add("a vocab.txt of RoBERTa", "DIR/vocab.txt, tokenizer: without a tokenizer.json, this is read for BERT's tokenizers alone, and"
                + " not for model_type roberta", d -> config(d.delete(TOKENIZER).write("vocab.txt", "a\n"), "model_type", "\"roberta\""));
        add("a tokenizer of Japanese", "DIR/tokenizer_config.json, tokenizer_class: expected a class that reads tokenizer.json, got"
                + " \"BertJapaneseTokenizer\"", d -> d.write(TOKENIZER_CONFIG, "{\"tokenizer_class\": \"BertJapaneseTokenizer\"}"));
        add("a contradiction of the normalizer", "DIR/tokenizer_config.json, do_lower_case: expected false as the normalizer of tokenizer.json, null,"
                + " got true", d -> d.write(TOKENIZER_CONFIG, "{\"do_lower_case\": true}"));
        add("another first token", "DIR/tokenizer_config.json, cls_token: expected \"[CLS]\" as in tokenizer.json, got \"[MASK]\"", d -> d.write(TOKENIZER_CONFIG, "{\"cls_token\": \"[MASK]\"}"));
        add("an added token elsewhere", "DIR/added_tokens.json, <url>.id: token '<url>' has the id 3 here, but 50 by the vocabulary", d -> d.write("added_tokens.json", "{\"<url>\": 3}"));
        add("an added token beyond the embeddings", "DIR/tokenizer.json, vocabulary: expected ids below the vocab_size 50 of config.json, got 50", d -> d.write("added_tokens.json", "{\"<url>\": 50}"));
        add("special tokens split", "DIR/tokenizer_config.json, split_special_tokens: expected false, got true", d -> d.write(TOKENIZER_CONFIG, "{\"split_special_tokens\": true}"));
        add("truncation of the middle", "DIR/tokenizer_config.json, truncation_side: expected \"right\" or \"left\", got \"middle\"", d -> d.write(TOKENIZER_CONFIG, "{\"truncation_side\": \"middle\"}"));
        add("no room for a token", "DIR/tokenizer_config.json, model_max_length: expected more than the 2 special tokens, got 2", d -> d.write(TOKENIZER_CONFIG, "{\"model_max_length\": 2}"));
    }

    private void addPipelines() {
        add("no list of modules", "DIR/modules.json, JSON: expected an array of modules", d -> d.write(MODULES, "{}"));
        add("no modules", "DIR/modules.json, type: expected the modules Transformer, Pooling and then any of Dense, LayerNorm"
                + " and Normalize, got none", d -> d.write(MODULES, "[]"));
        add("no pooling", "DIR/modules.json, type: expected the modules Transformer, Pooling and then any of Dense, LayerNorm"
                + " and Normalize, got Transformer", d -> d.write(MODULES, "[" + TRANSFORMER.formatted("") + "]"));
        add("a module of the model's own", "DIR/modules.json, type: expected a module of sentence_transformers, without code of the model's"
                + " own, got \"custom_st.Transformer\"", d -> d.write(MODULES, "[{\"type\": \"custom_st.Transformer\"}]"));
        add("a convolution", "DIR/modules.json, type: expected the modules Transformer, Pooling and then any of Dense, LayerNorm"
                + " and Normalize, got Transformer, Pooling, CNN", d -> d.modules("Pooling", "CNN"));
        add("a path with NUL", "DIR/modules.json, path: expected a folder of the model, got \"a\\u0000b\"", d -> d.write(MODULES, "[" + TRANSFORMER.formatted("a\\u0000b") + ", {\"type\":"
                + " \"sentence_transformers.models.Pooling\", \"path\": \"1_Pooling\"}]"));
        add("a path outside", "DIR/modules.json, path: expected a folder of the model, got \"../x\"", d -> d.write(MODULES, "[" + TRANSFORMER.formatted("../x") + ", {\"type\":"
                + " \"sentence_transformers.models.Pooling\", \"path\": \"1_Pooling\"}]"));
        add("a path of many characters", "DIR/modules.json, path: expected a folder of the model, got"
                + " \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxx\"", d -> d.write(MODULES, "[" + TRANSFORMER.formatted("/" + LONG) + ", {\"type\":"
                + " \"sentence_transformers.models.Pooling\", \"path\": \"1_Pooling\"}]"));
        add("a Transformer elsewhere", "model directory DIR/0_Transformer has no config.json", d -> d.write(MODULES, "[" + TRANSFORMER.formatted("0_Transformer") + ", {\"type\":"
                + " \"sentence_transformers.models.Pooling\", \"path\": \"1_Pooling\"}]"));
        add("no config of the pooling", "the model in DIR has no 1_Pooling/config.json, which modules.json names", d -> d.delete(POOLING));
        add("an unknown pooling", "DIR/1_Pooling/config.json, pooling_mode: expected any of cls, max, mean, mean_sqrt_len_tokens,"
                + " weightedmean, lasttoken, got \"first\"", d -> d.write(POOLING, "{\"pooling_mode\": \"first\"}"));
        add("no pooling mode", "DIR/1_Pooling/config.json, pooling_mode: expected at least one of cls, max, mean,"
                + " mean_sqrt_len_tokens, weightedmean, lasttoken, got none", d -> d.write(POOLING, "{\"pooling_mode_mean_tokens\": false}"));
        add("another width of the pooling", "DIR/1_Pooling/config.json, word_embedding_dimension: expected the hidden_size 33 of config.json,"
                + " got 384", d -> d.write(POOLING, "{\"word_embedding_dimension\": 384}"));
        add("a first token without its prompt", "DIR/1_Pooling/config.json, include_prompt: expected true, where the pooling is cls, got false", d -> d.pooling("cls", "\"include_prompt\": false"));
        add("a Dense without weights", "the model in DIR has no 2_Dense/model.safetensors, which modules.json names", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 33, \"out_features\": 8}"));
        add("a Dense of a pickle", "DIR/2_Dense/pytorch_model.bin, Dense: a Python pickle, which is not read; expected the module's"
                + " weights in model.safetensors", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 33, \"out_features\": 8}").write("2_Dense/pytorch_model.bin", "x"));
        add("a Dense of another width", "DIR/2_Dense/config.json, in_features: expected the 33 components of the module before, got 34", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 34, \"out_features\": 8}"));
        add("a Dense of an unknown activation", "DIR/2_Dense/config.json, activation_function: expected one of PyTorch's Identity, Tanh, ReLU, GELU,"
                + " Sigmoid, SiLU, got \"os.system\"", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 33, \"out_features\": 8, \"activation_function\": \"os.system\"}")
                .write("2_Dense/model.safetensors", ""));
        add("a Dense with a residual", "DIR/2_Dense/config.json, use_residual: expected false, got true", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 33, \"out_features\": 33, \"use_residual\": true}"));
        add("a Dense without its matrix", "DIR/2_Dense/model.safetensors, linear.weight: no such tensor; there are weight", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 33, \"out_features\": 8}").tensors("2_Dense/model.safetensors",
                Map.of("weight", new TinyModel.Weight(List.of(1), new float[1]))));
        add("NaN in a Dense", "DIR/2_Dense/model.safetensors, linear.weight: expected finite numbers, got NaN in row 0", d -> d.modules("Pooling", "Dense").write("2_Dense/config.json",
                "{\"in_features\": 33, \"out_features\": 1, \"bias\": false}").tensors("2_Dense/model.safetensors",
                Map.of("linear.weight", new TinyModel.Weight(List.of(1, 33), new float[33].clone()),
                        "x", new TinyModel.Weight(List.of(1), new float[] {Float.NaN}))).tensors("2_Dense/model.safetensors",
                Map.of("linear.weight", new TinyModel.Weight(List.of(1, 33), filled(33, Float.NaN)))));
        add("a LayerNorm of another width", "DIR/2_LayerNorm/config.json, dimension: expected the 33 components of the module before, got 32", d -> d.modules("Pooling", "LayerNorm").write("2_LayerNorm/config.json",
                "{\"dimension\": 32}"));
    }

    private void addSettings() {
        add("a default prompt that is not there", "DIR/config_sentence_transformers.json, default_prompt_name: expected null, as there are no prompts,"
                + " got \"passage\"", d -> d.settings("{\"default_prompt_name\": \"passage\"}"));
        add("a prompt that is no text", "DIR/config_sentence_transformers.json, prompts.query: expected a string, got 1", d -> d.settings("{\"prompts\": {\"query\": 1}}"));
        add("prompts that are none", "DIR/config_sentence_transformers.json, prompts: expected an object, got [\"query: \"]", d -> d.settings("{\"prompts\": [\"query: \"]}"));
        add("no dimensions", "DIR/config_sentence_transformers.json, truncate_dim: expected a whole number from 1 to 2147483647,"
                + " got 0", d -> d.settings("{\"truncate_dim\": 0}"));
        add("half a dimension", "DIR/config_sentence_transformers.json, truncate_dim: expected a whole number from 1 to 2147483647,"
                + " got 12.5", d -> d.settings("{\"truncate_dim\": 12.5}"));
        add("an unknown similarity", "DIR/config_sentence_transformers.json, similarity_fn_name: expected cosine, dot, euclidean or"
                + " manhattan, got \"hamming\"", d -> d.settings("{\"similarity_fn_name\": \"hamming\"}"));
        add("a sparse encoder", "DIR/config_sentence_transformers.json, model_type: expected SentenceTransformer, got"
                + " \"SparseEncoder\"", d -> d.settings("{\"model_type\": \"SparseEncoder\"}"));
        add("more tokens than positions", "DIR/sentence_bert_config.json, max_seq_length: expected at most the 20 positions of config.json,"
                + " got 512", d -> d.sentence("{\"max_seq_length\": 512}"));
        add("a field that nobody knows", "DIR/sentence_bert_config.json, max_sequence_length: not a field that is known here, with the value 5", d -> d.sentence("{\"max_sequence_length\": 5}"));
        add("another output of the Transformer", "DIR/sentence_bert_config.json, modality_config.text.method_output_name: expected"
                + " \"last_hidden_state\", got \"pooler_output\"", d -> d.sentence("{\"modality_config\": {\"text\":"
                + " {\"method\": \"forward\", \"method_output_name\": \"pooler_output\"}}}"));
        add("another task of the Transformer", "DIR/sentence_bert_config.json, transformer_task: expected \"feature-extraction\", got \"fill-mask\"", d -> d.sentence("{\"transformer_task\": \"fill-mask\"}"));
        add("settings of the tokenizer in passing", "DIR/sentence_bert_config.json, tokenizer_args: expected nothing, got {\"do_lower_case\":true}", d -> d.sentence("{\"tokenizer_args\": {\"do_lower_case\": true}}"));
    }

    @TestFactory
    Stream<DynamicTest> shouldSayInOneLineWhyADirectoryIsNotLoaded() {
        addAll();
        return cases.stream().map(example -> DynamicTest.dynamicTest(example.name, () -> {
            Path folder = Files.createDirectory(directory.resolve(example.name.replaceAll("\\W", "_")));
            ModelDirectory model = ModelDirectory.of(new TinyModel(1), folder).modules("Pooling").pooling("mean")
                    .sentence("{\"max_seq_length\": 12}");
            if (example.edit != null) {
                TextEncoder.load(folder).close();
                Files.delete(folder.resolve(SENTENCE));
            }
            example.edit.apply(model);
            var e = assertThrows(IOException.class, () -> TextEncoder.load(folder).close());
            String message = String.valueOf(e.getMessage()).replace(folder.toString(), "DIR");
            assertEquals(example.message, message);
            assertEquals(1, message.lines().count());
            assertTrue(message.length() < 400, () -> message.length() + " chars");
        }));
    }

    @Test
    void shouldTrySixtyDirectories() {
        addAll();
        assertTrue(cases.size() >= 60, () -> cases.size() + " directories");
    }

    private void addAll() {
        addMissingFiles();
        addPointers();
        addConfigs();
        addWeights();
        addTokenizers();
        addPipelines();
        addSettings();
    }

    private static ModelDirectory config(ModelDirectory directory, String field, String value) throws IOException {
        TinyModel model = new TinyModel(1);
        model.config.add(field, JsonParser.parseString(value));
        return directory.write(CONFIG, model.config.toString());
    }

    private static ModelDirectory header(ModelDirectory directory, String json) throws IOException {
        byte[] bytes = new byte[8 + json.length()];
        for (int i = 0; i < 4; i++) {
            bytes[i] = (byte) (json.length() >> 8 * i);
        }
        System.arraycopy(json.getBytes(), 0, bytes, 8, json.length());
        Files.write(directory.path().resolve(WEIGHTS), bytes);
        return directory;
    }

    private static float[] filled(int size, float value) {
        float[] values = new float[size];
        Arrays.fill(values, value);
        return values;
    }
}

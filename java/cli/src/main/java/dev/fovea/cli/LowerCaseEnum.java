package dev.fovea.cli;

import dev.fovea.model.GgufFileType;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.TokenClassifier;
import dev.fovea.model.WeightType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a constant {@code FOO_BAR} from {@code foo-bar}. */
abstract class LowerCaseEnum<E extends Enum<E>> implements ITypeConverter<E> {
    private final E[] constants;

    private LowerCaseEnum(E[] constants) {
        this.constants = constants;
    }

    /** How the command line spells {@code constant}; types of weights as GGUF does, such as {@code q4_k}. */
    static String spelling(Enum<?> constant) {
        String lower = constant.name().toLowerCase(Locale.ROOT);
        return constant instanceof WeightType || constant instanceof GgufFileType ? lower : lower.replace('_', '-');
    }

    @Override
    public E convert(String value) {
        for (E constant : constants) {
            if (spelling(constant).equals(value)) {
                return constant;
            }
        }
        throw unknown(Arrays.stream(constants).map(LowerCaseEnum::spelling).toList(), value);
    }

    /** What to say of a value that is none of {@code choices}, which are two or more. */
    static TypeConversionException unknown(List<String> choices, String value) {
        return new TypeConversionException("expected " + String.join(", ", choices.subList(0, choices.size() - 1)) + " or "
                + choices.getLast() + ", got '" + Failures.oneLine(value) + "'");
    }

    /** Reads a type of GGUF files, such as {@code q4_k_m}. */
    static final class OfGgufFileType extends LowerCaseEnum<GgufFileType> {
        OfGgufFileType() {
            super(GgufFileType.values());
        }
    }

    /** Reads {@code truncate}, {@code error} or {@code chunk-mean}. */
    static final class OfLengthPolicy extends LowerCaseEnum<LengthPolicy> {
        OfLengthPolicy() {
            super(LengthPolicy.values());
        }
    }

    /** Reads {@code truncate} or {@code error}: a head's results for pieces have no mean. */
    static final class OfHeadPolicy extends LowerCaseEnum<LengthPolicy> {
        OfHeadPolicy() {
            super(new LengthPolicy[] {LengthPolicy.TRUNCATE, LengthPolicy.ERROR});
        }
    }

    /** Reads {@code f32}, {@code bf16}, {@code f16}, {@code int8}, {@code stored} or a type of GGUF such as {@code q4_k}. */
    static final class OfWeightType extends LowerCaseEnum<WeightType> {
        OfWeightType() {
            super(WeightType.values());
        }
    }

    /** Reads {@code float32}, {@code int8}, {@code uint8}, {@code binary} or {@code ubinary}. */
    static final class OfPrecision extends LowerCaseEnum<EmbedCommand.Precision> {
        OfPrecision() {
            super(EmbedCommand.Precision.values());
        }
    }

    /** Reads {@code none}, {@code simple}, {@code first}, {@code average} or {@code max}. */
    static final class OfAggregation extends LowerCaseEnum<TokenClassifier.Aggregation> {
        OfAggregation() {
            super(TokenClassifier.Aggregation.values());
        }
    }

    /** Reads {@code jsonl} or {@code npy}. */
    static final class OfFormat extends LowerCaseEnum<EmbedCommand.Format> {
        OfFormat() {
            super(EmbedCommand.Format.values());
        }
    }
}

package dev.fovea.cli;

import dev.fovea.model.LengthPolicy;
import dev.fovea.model.TokenClassifier;
import dev.fovea.model.WeightType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a constant {@code FOO_BAR} from {@code foo-bar}. */
abstract class LowerCaseEnum<E extends Enum<E>> implements ITypeConverter<E> {
    private final E[] constants;

    private LowerCaseEnum(E[] constants) {
        this.constants = constants;
    }

    /** How the command line spells {@code constant}. */
    static String spelling(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public E convert(String value) {
        for (E constant : constants) {
            if (spelling(constant).equals(value)) {
                return constant;
            }
        }
        throw new TypeConversionException("expected "
                + Arrays.stream(constants).map(LowerCaseEnum::spelling).collect(Collectors.joining(" or "))
                + ", got '" + Failures.oneLine(value) + "'");
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

    /** Reads {@code f32}, {@code bf16}, {@code f16} or {@code int8}. */
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

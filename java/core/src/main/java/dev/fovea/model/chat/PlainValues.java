package dev.fovea.model.chat;

import com.hubspot.jinjava.el.ext.JinjavaBeanELResolver;
import com.hubspot.jinjava.lib.Importable;
import com.hubspot.jinjava.util.ForLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import jinjava.javax.el.MapELResolver;

/**
 * What a template can reach of a value: entries of maps, elements of lists, and those of Python's methods of texts, lists
 * and dictionaries that templates call. Nothing else of any object: no template gets at a class.
 */
final class PlainValues extends MapELResolver {
    /** For the library's own objects. */
    private final ELResolver beans = new JinjavaBeanELResolver(true);

    /** Filters, tests and the counter of a loop. */
    private static boolean isOfLibrary(Object base) {
        return base instanceof Importable || base instanceof ForLoop;
    }

    @Override
    public Object getValue(ELContext context, Object base, Object property) {
        if (isOfLibrary(base)) {
            return beans.getValue(context, base, property);
        }
        context.setPropertyResolved(true);
        return switch (base) {
            case Map<?, ?> map -> map.get(property instanceof String ? property : String.valueOf(property));
            case List<?> list when index(property) != null -> element(list, index(property));
            case String text when index(property) != null -> character(text, index(property));
            case null, default -> null;
        };
    }

    /** The library gives indices as numbers or as their texts. */
    private static Integer index(Object property) {
        if (property instanceof Number number) {
            return number.intValue();
        }
        return property instanceof String text && text.matches("-?\\d{1,9}") ? Integer.valueOf(text) : null;
    }

    private static Object element(List<?> list, int index) {
        int from = index < 0 ? index + list.size() : index;
        return from >= 0 && from < list.size() ? list.get(from) : null;
    }

    private static String character(String text, int index) {
        int from = index < 0 ? index + text.length() : index;
        return from >= 0 && from < text.length() ? text.substring(from, from + 1) : null;
    }

    @Override
    public Object invoke(ELContext context, Object base, Object method, Class<?>[] types, Object[] parameters) {
        if (isOfLibrary(base)) {
            return beans.invoke(context, base, method, types, parameters);
        }
        context.setPropertyResolved(true);
        String name = String.valueOf(method);
        Object[] given = parameters == null ? new Object[0] : parameters;
        return switch (base) {
            case String text -> PythonText.call(text, name, given);
            case Map<?, ?> map -> ofMap(map, name, given);
            case null -> throw new IllegalArgumentException("the template calls " + name + "() of a value that is not there");
            default -> throw unknown(base, name);
        };
    }

    private static Object ofMap(Map<?, ?> map, String name, Object[] given) {
        return switch (name) {
            case "items" -> items(map);
            case "keys" -> new ArrayList<>(map.keySet());
            case "values" -> new ArrayList<>(map.values());
            case "get" -> {
                Object value = given.length > 0 ? map.get(given[0]) : null;
                yield value == null && given.length > 1 ? given[1] : value;
            }
            default -> throw unknown(map, name);
        };
    }

    /** Keys and values. */
    static List<List<Object>> items(Map<?, ?> map) {
        List<List<Object>> items = new ArrayList<>();
        map.forEach((key, value) -> {
            List<Object> item = new ArrayList<>();
            item.add(key);
            item.add(value);
            items.add(item);
        });
        return items;
    }

    private static IllegalArgumentException unknown(Object base, String name) {
        return new IllegalArgumentException("the template calls " + name + "() of a "
                + (base instanceof Map ? "map" : base instanceof List ? "list" : "value") + ", which is not known here");
    }

    @Override
    public Class<?> getType(ELContext context, Object base, Object property) {
        context.setPropertyResolved(true);
        return Object.class;
    }

    @Override
    public void setValue(ELContext context, Object base, Object property, Object value) {
        throw new IllegalArgumentException("a template sets no values of others, got " + property);
    }

    @Override
    public boolean isReadOnly(ELContext context, Object base, Object property) {
        context.setPropertyResolved(true);
        return true;
    }
}

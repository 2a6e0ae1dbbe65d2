package dev.fovea.cli.attend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class PictureTest {
    private static final Pattern RUN = Pattern.compile("M(\\d+) (\\d+)h(\\d+)v1h-(\\d+)z");
    private static final Pattern PLACE = Pattern.compile("translate\\((\\d+) (\\d+)\\) scale\\((\\d+)\\)");

    private static byte[] svg(Attention attention) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new Picture(attention, new Choice(1, 1)).writeSvg(out);
        return out.toByteArray();
    }

    private static Document parse(byte[] svg) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(svg));
    }

    private static List<Element> elements(Document document, String name) {
        NodeList found = document.getElementsByTagName(name);
        return IntStream.range(0, found.getLength()).mapToObj(i -> (Element) found.item(i)).toList();
    }

    @Test
    void shouldLabelBothSidesAndSayWhatIsShown() throws Exception {
        Document document = parse(svg(Patterns.of(2, 3, "blue", "a<b>&\"c\"", "森林", "\u0001")));
        List<String> texts = elements(document, "text").stream().map(Element::getTextContent).toList();
        for (String token : List.of("[CLS]", "blue", "a<b>&\"c\"", "森林", "U+0001", "[SEP]")) {
            assertEquals(2, texts.stream().filter(token::equals).count(), token);
        }
        assertTrue(texts.contains("a-model, layer 1 of 2, head 1 of 3; rows attend to columns"), texts.toString());
        assertTrue(texts.stream().anyMatch(text -> text.matches("0\\.\\d{4} or more")), texts.toString());
    }

    @Test
    void shouldBeTheSameAsPng() throws Exception {
        Attention attention = Patterns.of(1, 1, "a", "fluffy", "blue", "creature");
        Document document = parse(svg(attention));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new Picture(attention, new Choice(1, 1)).writePng(out);
        BufferedImage png = ImageIO.read(new ByteArrayInputStream(out.toByteArray()));
        assertEquals(2 * Integer.parseInt(document.getDocumentElement().getAttribute("width")), png.getWidth());
        assertEquals(2 * Integer.parseInt(document.getDocumentElement().getAttribute("height")), png.getHeight());
        Element group = elements(document, "g").getFirst();
        Matcher place = PLACE.matcher(group.getAttribute("transform"));
        assertTrue(place.matches());
        int cell = Integer.parseInt(place.group(3));
        int cells = 0;
        for (Element path : elements(document, "path")) {
            if (path.getParentNode() != group) {
                continue;
            }
            int color = Integer.parseInt(path.getAttribute("fill").substring(1), 16);
            for (MatchResult run : RUN.matcher(path.getAttribute("d")).results().toList()) {
                for (int column = 0; column < Integer.parseInt(run.group(3)); column++, cells++) {
                    int x = Integer.parseInt(place.group(1)) + (Integer.parseInt(run.group(1)) + column) * cell;
                    int y = Integer.parseInt(place.group(2)) + Integer.parseInt(run.group(2)) * cell;
                    assertEquals(color, png.getRGB(2 * x, 2 * y) & 0xFFFFFF);
                    assertEquals(color, png.getRGB(2 * (x + cell) - 1, 2 * (y + cell) - 1) & 0xFFFFFF);
                }
            }
        }
        assertEquals(36, cells);
    }

    @Test
    void shouldKeepLongTextsSmall() throws Exception {
        byte[] svg = svg(Patterns.ofLength(1, 1, 512));
        assertTrue(svg.length < 6_000_000, svg.length + " bytes");
        assertTrue(new String(svg, StandardCharsets.UTF_8).lines().count() < 500);
    }

    @Test
    void shouldDrawASingleToken() throws Exception {
        List<String> token = List.of("x");
        Attention attention = new Attention("m", "x", token, token, 1, 1, (_, _, _, _) -> 1);
        assertEquals(2, elements(parse(svg(attention)), "text").stream()
                .filter(text -> text.getTextContent().equals("x") && !text.hasAttribute("xml:space")
                        || text.getAttribute("text-anchor").equals("end"))
                .count());
    }
}

package dev.fovea.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.TerminalBuilder;

/** What a user says in a chat, line by line. */
interface ChatLines extends AutoCloseable {
    /** What stands before a line that is typed. */
    String PROMPT = "> ";

    /** The next line, or null if there is none. */
    String next() throws IOException;

    @Override
    void close() throws IOException;

    /** Where somebody types, with a prompt, editing and what was typed before; else the lines of the input. */
    static ChatLines of(Streams streams) throws IOException {
        return streams.areOfProcess() && Terminal.isInteractive(System.getenv()) ? new Typed()
                : new Read(streams, streams.areOfProcess() && Terminal.isTyped() ? PROMPT : "");
    }

    /** Lines of a file, a pipe or a terminal that moves no cursor. */
    final class Read implements ChatLines {
        private final Streams streams;
        private final String prompt;
        private final BufferedReader in;

        /** What each line is asked for by: nothing where nobody types. */
        Read(Streams streams, String prompt) {
            this.streams = streams;
            this.prompt = prompt;
            in = new BufferedReader(new InputStreamReader(streams.in(), StandardCharsets.UTF_8));
        }

        @Override
        public String next() throws IOException {
            streams.print(prompt);
            return in.readLine();
        }

        @Override
        public void close() {
            // Standard input is not this one's to close.
        }
    }

    /** Lines that are typed at a terminal. Those of this chat can be had again; nothing is written to a file. */
    final class Typed implements ChatLines {
        private final org.jline.terminal.Terminal terminal;
        private final LineReader reader;

        Typed() throws IOException {
            // Neither of these unpacks a library.
            terminal = TerminalBuilder.builder().system(true).providers("ffm,exec").encoding(StandardCharsets.UTF_8).build();
            reader = LineReaderBuilder.builder().terminal(terminal).appName("fovea")
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true).option(LineReader.Option.BRACKETED_PASTE, true).build();
        }

        /** Ctrl-C forgets a line, and ends the chat where there is none; so does Ctrl-D. */
        @Override
        public String next() {
            while (true) {
                try {
                    return reader.readLine(PROMPT);
                } catch (UserInterruptException e) {
                    if (e.getPartialLine().isEmpty()) {
                        return null;
                    }
                } catch (EndOfFileException e) {
                    return null;
                }
            }
        }

        @Override
        public void close() throws IOException {
            terminal.close();
        }
    }
}

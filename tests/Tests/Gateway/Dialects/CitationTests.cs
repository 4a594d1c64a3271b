using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Dialects.OpenAiResponses;
using Stoa.Gateway.Runs;

namespace Stoa.Tests.Gateway.Dialects;

/// <summary>Where providers say that they have their answers from: worded alike, whole and in a stream.</summary>
public sealed class CitationTests
{
    private static readonly DialectTarget Target = new("m");

    private static readonly ChatRequest Request = OpenAiDialect.Instance.ReadRequest(
        """{"model":"m","messages":[{"role":"user","content":"Hi"}]}"""u8.ToArray());

    [Fact]
    public void Of_chat_completions()
    {
        const string Annotations = """
            [{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","start_index":4,"end_index":8,"content":"all of the page"} },
             {"type":"file","file":{"hash":"h","name":"n.pdf","content":[{"type":"text","text":"all of the file"}]} }]
            """;
        const string Expected = """
            [{"type":"url_citation","url":"https://a.example","title":"A","start_index":4,"end_index":8},{"type":"file","hash":"h","name":"n.pdf"}]
            """;

        Check(Expected, Whole(OpenAiDialect.Instance, $$"""
            {"id":"i","model":"m","choices":[{"message":{"role":"assistant","content":"One two","annotations":{{Annotations}}},"finish_reason":"stop"}]}
            """));
        Check(Expected, Streamed(
            OpenAiDialect.Instance,
            """{"id":"i","model":"m","choices":[{"index":0,"delta":{"content":"One two"} }]}""",
            $$"""{"id":"i","model":"m","choices":[{"index":0,"delta":{"annotations":{{Annotations.ReplaceLineEndings("")}}},"finish_reason":"stop"}]}""",
            "[DONE]"));
    }

    [Fact]
    public void Of_responses_counted_over_the_whole_answer()
    {
        const string Page = """{"type":"url_citation","url":"https://a.example","title":"A","start_index":0,"end_index":3}""";
        const string File = """{"type":"file_citation","file_id":"f","filename":"n.pdf","index":2}""";
        const string Expected = """
            [{"type":"url_citation","url":"https://a.example","title":"A","start_index":4,"end_index":7},
             {"type":"file_citation","file_id":"f","filename":"n.pdf","index":6}]
            """;

        Check(Expected, Whole(ResponsesDialect.Instance, $$"""
            {"id":"i","model":"m","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"One ","annotations":[]},
              {"type":"output_text","text":"two","annotations":[{{Page}},{{File}}]}]}]}
            """));
        Check(Expected, Streamed(
            ResponsesDialect.Instance,
            """{"type":"response.created","response":{"id":"i","model":"m"} }""",
            """{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"One "}""",
            """{"type":"response.output_text.delta","output_index":0,"content_index":1,"delta":"two"}""",
            $$"""{"type":"response.output_text.annotation.added","output_index":0,"content_index":1,"annotation":{{Page}}}""",
            $$"""{"type":"response.output_text.annotation.added","output_index":0,"content_index":1,"annotation":{{File}}}""",
            """{"type":"response.completed","response":{"status":"completed"} }"""));
    }

    [Fact]
    public void Of_Anthropic_for_the_block_that_has_them()
    {
        const string Page = """
            {"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"x","cited_text":"two"}
            """;
        const string File = """
            {"type":"page_location","document_index":0,"document_title":"n.pdf","start_page_number":2,"end_page_number":3,"cited_text":"two"}
            """;
        const string Expected = """
            [{"type":"url_citation","url":"https://a.example","title":"A","cited_text":"two","start_index":4,"end_index":7},
             {"type":"file_citation","file_id":null,"filename":"n.pdf","start_page_number":2,"end_page_number":3,"cited_text":"two",
              "start_index":4,"end_index":7}]
            """;
        var dialect = AnthropicDialect.Of(version: null);

        Check(Expected, Whole(dialect, $$"""
            {"id":"i","type":"message","role":"assistant","model":"m","stop_reason":"end_turn","content":[{"type":"text","text":"One "},
              {"type":"text","text":"two","citations":[{{Page}},{{File}}]}]}
            """));
        Check(Expected, Streamed(
            dialect,
            """{"type":"message_start","message":{"id":"i","model":"m"} }""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"One "} }""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":[]} }""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"two"} }""",
            $$"""{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{{Page}}} }""",
            $$"""{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{{File}}} }""",
            """{"type":"message_delta","delta":{"stop_reason":"end_turn"} }""",
            """{"type":"message_stop"}"""));
    }

    [Fact]
    public void Of_Gemini_for_the_passages_that_they_support()
    {
        const string Sources = """
            "groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"} },{"web":{"uri":"https://b.example","title":"B"} },
               {"retrievedContext":{"uri":"files/1","title":"n.pdf"} }],
              "groundingSupports":[{"segment":{"startIndex":0,"endIndex":4,"text":"Ein."},"groundingChunkIndices":[0,9]},
               {"segment":{"startIndex":10,"endIndex":14,"text":"Ein."},"groundingChunkIndices":[2]}]},
            "citationMetadata":{"citationSources":[{"startIndex":0,"endIndex":3,"uri":"https://c.example"}]}
            """;
        const string Expected = """
            [{"type":"url_citation","url":"https://a.example","title":"A","start_index":0,"end_index":4},
             {"type":"file_citation","file_id":"files/1","filename":"n.pdf","start_index":9,"end_index":13},
             {"type":"url_citation","url":"https://b.example","title":"B"},
             {"type":"url_citation","url":"https://c.example","title":null}]
            """;

        Check(Expected, Whole(GeminiDialect.Instance, $$"""
            {"candidates":[{"content":{"parts":[{"text":"Ein. Öl. Ein."}]},"finishReason":"STOP",{{Sources}}}]}
            """));
        Check(Expected, Streamed(
            GeminiDialect.Instance,
            """{"candidates":[{"content":{"parts":[{"text":"Ein. "}]} }]}""",
            $$"""{"candidates":[{"content":{"parts":[{"text":"Öl. Ein."}]},{{Sources.ReplaceLineEndings("")}}}]}""",
            $$"""{"candidates":[{"content":{"parts":[]},"finishReason":"STOP",{{Sources.ReplaceLineEndings("")}}}]}"""));
    }

    private static void Check(string expected, JsonArray found) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), found), found.ToJsonString());

    private static JsonArray Whole(IProviderDialect dialect, string body) =>
        Citation.Placed(dialect.ReadAnswer(Encoding.UTF8.GetBytes(body), Request, Target).Parts);

    private static JsonArray Streamed(IProviderDialect dialect, params string[] steps)
    {
        var events = new List<ChatEvent>();
        var reader = dialect.OpenReader(Request, Target);
        foreach (var step in steps)
        {
            reader.Read("message", Encoding.UTF8.GetBytes(step), events);
        }
        reader.End(events);
        var assembly = new AnswerAssembly();
        foreach (var step in events)
        {
            assembly.Add(step);
        }
        return Citation.Placed(assembly.Parts);
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Dialects.OpenAiResponses;
using Stoa.Gateway.Runs;

namespace Stoa.Tests.Gateway.Dialects;

/// <summary>
/// Where providers say that they have their answers from: worded alike, whole and in a stream, and shown to clients of each dialect.
/// </summary>
public sealed class CitationTests
{
    private static readonly DialectTarget Target = new("m");

    private static readonly AnswerHead Head = new("chatcmpl-1", 1);

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

    private const string Grounded = """
        {"candidates":[{"content":{"parts":[{"text":"Ein. Öl."}]},"finishReason":"STOP","groundingMetadata":{
          "groundingChunks":[{"web":{"uri":"https://a.example","title":"A"} },{"web":{"uri":"https://b.example"} },{"retrievedContext":{"uri":"files/1","title":"n.pdf"} }],
          "groundingSupports":[{"segment":{"startIndex":0,"endIndex":4,"text":"Ein."},"groundingChunkIndices":[0]},
            {"segment":{"startIndex":5,"endIndex":9,"text":"Öl."},"groundingChunkIndices":[0,2]}]} }]}
        """;

    private const string InChat = """
        [{"type":"url_citation","url_citation":{"start_index":0,"end_index":4,"url":"https://a.example","title":"A"} },
         {"type":"url_citation","url_citation":{"start_index":5,"end_index":8,"url":"https://a.example","title":"A"} },
         {"type":"url_citation","url_citation":{"start_index":8,"end_index":8,"url":"https://b.example","title":"https://b.example"} }]
        """;

    private const string InResponses = """
        [{"type":"url_citation","start_index":0,"end_index":4,"url":"https://a.example","title":"A"},
         {"type":"url_citation","start_index":5,"end_index":8,"url":"https://a.example","title":"A"},
         {"type":"file_citation","file_id":"files/1","filename":"n.pdf","index":8},
         {"type":"url_citation","start_index":8,"end_index":8,"url":"https://b.example","title":"https://b.example"}]
        """;

    private const string InMessages = """
        [{"type":"web_search_result_location","url":"https://a.example","title":"A","cited_text":"","encrypted_index":""},
         {"type":"web_search_result_location","url":"https://b.example","title":null,"cited_text":"","encrypted_index":""}]
        """;

    [Fact]
    public void For_clients_of_chat_completions()
    {
        Check(InChat, Written(OpenAiDialect.Instance)["choices"]![0]!["message"]!["annotations"]!);

        var chunks = Frames(OpenAiDialect.Instance);
        var told = chunks.FindIndex(chunk => chunk["choices"]![0]!["delta"]!["annotations"] is not null);
        Check(InChat, chunks[told]["choices"]![0]!["delta"]!["annotations"]!);
        Assert.Equal("stop", (string?)chunks[told + 1]["choices"]![0]!["finish_reason"]);
        Assert.Single(chunks, chunk => chunk["choices"]![0]!["delta"]!["annotations"] is not null);
    }

    [Fact]
    public void For_clients_of_responses()
    {
        Check(InResponses, Written(ResponsesDialect.Instance)["output"]![0]!["content"]![0]!["annotations"]!);

        var events = Frames(ResponsesDialect.Instance);
        var added = events.FindAll(step => (string)step["type"]! == "response.output_text.annotation.added");
        Check(InResponses, new JsonArray([.. added.Select(step => step["annotation"]!.DeepClone())]));
        Assert.Equal([0, 1, 2, 3], added.Select(step => (int)step["annotation_index"]!));
        Assert.All(added, step => Assert.Equal((0, 0), ((int)step["output_index"]!, (int)step["content_index"]!)));
        Assert.True(events.IndexOf(added[^1]) < events.FindIndex(step => (string)step["type"]! == "response.output_text.done"));
        Check(InResponses, Of("response.content_part.done")["part"]!["annotations"]!);
        Check(InResponses, Of("response.output_item.done")["item"]!["content"]![0]!["annotations"]!);
        Check(InResponses, Of("response.completed")["response"]!["output"]![0]!["content"]![0]!["annotations"]!);

        JsonNode Of(string type) => events.Single(step => (string)step["type"]! == type);
    }

    [Fact]
    public void For_clients_of_Anthropic_each_page_once()
    {
        var dialect = AnthropicDialect.Of(version: null);
        Check(InMessages, Written(dialect)["content"]![0]!["citations"]!);

        var events = Frames(dialect);
        var told = events.FindAll(step => (string?)step["delta"]?["type"] == "citations_delta");
        Check(InMessages, new JsonArray([.. told.Select(step => step["delta"]!["citation"]!.DeepClone())]));
        Assert.All(told, step => Assert.Equal(0, (int)step["index"]!));
        Assert.True(events.IndexOf(told[^1]) < events.FindIndex(step => (string)step["type"]! == "content_block_stop"));
    }

    /// <summary>Anthropic says of a passage where it is from before it says the passage, and each is a block.</summary>
    [Fact]
    public void Of_Anthropic_for_clients_of_the_others()
    {
        const string Page = """{"type":"web_search_result_location","url":"https://a.example","title":"A","cited_text":"x"}""";
        string[] steps =
        [
            """{"type":"message_start","message":{"id":"i","model":"m"} }""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"One "} }""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":[]} }""",
            $$"""{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{{Page}}} }""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"two"} }""",
            """{"type":"content_block_stop","index":1}""",
            """{"type":"message_delta","delta":{"stop_reason":"end_turn"} }""",
            """{"type":"message_stop"}""",
        ];
        var whole = $$"""
            {"id":"i","type":"message","role":"assistant","model":"m","stop_reason":"end_turn","content":[{"type":"text","text":"One "},
              {"type":"text","text":"two","citations":[{{Page}}]}]}
            """;
        var anthropic = AnthropicDialect.Of(version: null);

        var chat = Frames(OpenAiDialect.Instance, anthropic, steps);
        var responses = Frames(ResponsesDialect.Instance, anthropic, steps);

        const string OverAll =
            """[{"type":"url_citation","url_citation":{"start_index":4,"end_index":7,"url":"https://a.example","title":"A"} }]""";
        const string OfItsItem = """[{"type":"url_citation","start_index":0,"end_index":3,"url":"https://a.example","title":"A"}]""";
        Check(OverAll, Written(OpenAiDialect.Instance, anthropic, whole)["choices"]![0]!["message"]!["annotations"]!);
        Check(OverAll,
            chat.Single(chunk => chunk["choices"]![0]!["delta"]!["annotations"] is not null)["choices"]![0]!["delta"]!["annotations"]!);
        Check(OfItsItem, Written(ResponsesDialect.Instance, anthropic, whole)["output"]![1]!["content"]![0]!["annotations"]!);
        Check(OfItsItem, responses[^1]["response"]!["output"]![1]!["content"]![0]!["annotations"]!);
        Check("[]", responses[^1]["response"]!["output"]![0]!["content"]![0]!["annotations"]!);
    }

    /// <summary>Servers of OpenAI's dialect may cite first, think, and say it then.</summary>
    [Fact]
    public void What_is_cited_before_the_text_waits_for_it()
    {
        string[] steps =
        [
            """{"choices":[{"index":0,"delta":{"role":"assistant","annotations":[{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","start_index":0,"end_index":3}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"reasoning_content":"Hm."}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"Two"}}]}""",
            """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""",
        ];

        var output = Frames(ResponsesDialect.Instance, OpenAiDialect.Instance, steps)[^1]["response"]!["output"]!.AsArray();
        var blocks = Frames(AnthropicDialect.Of(version: null), OpenAiDialect.Instance, steps);

        Assert.Equal(["reasoning", "message"], output.Select(item => (string)item!["type"]!));
        Assert.Equal("Two", (string)output[1]!["content"]![0]!["text"]!);
        Check("""[{"type":"url_citation","start_index":0,"end_index":3,"url":"https://a.example","title":"A"}]""",
            output[1]!["content"]![0]!["annotations"]!);
        Assert.Equal(["thinking", "text"], blocks.Select(step => (string?)step["content_block"]?["type"]).OfType<string>());
        Assert.Equal(1, (int)blocks.Single(step => (string?)step["delta"]?["type"] == "citations_delta")["index"]!);
    }

    [Fact]
    public void Of_Gemini_with_the_text_that_holds_the_passage()
    {
        var answer = Written(ResponsesDialect.Instance, GeminiDialect.Instance, """
            {"candidates":[{"content":{"parts":[{"text":"One."},{"text":"Two."}]},"finishReason":"STOP","groundingMetadata":{
              "groundingChunks":[{"web":{"uri":"https://a.example","title":"A"} }],
              "groundingSupports":[{"segment":{"startIndex":4,"endIndex":8,"text":"Two."},"groundingChunkIndices":[0]}]} }]}
            """);

        Check("[]", answer["output"]![0]!["content"]![0]!["annotations"]!);
        Check(
            """[{"type":"url_citation","start_index":0,"end_index":4,"url":"https://a.example","title":"A"}]""",
            answer["output"]![1]!["content"]![0]!["annotations"]!);
    }

    [Fact]
    public async Task Of_an_agent_counted_over_what_it_has_said_before_it_called_tools_too()
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await using (var stream =
            new CompletionStream(context, OpenAiDialect.Instance.OpenWriter(Request, Head), "m", new(), TimeProvider.System))
        {
            await stream.TellAsync(new RunStep.Delta("Let me look. "), TestContext.Current.CancellationToken);
            await stream.TellAsync(new RunStep.Delta("Two."), TestContext.Current.CancellationToken);
            await stream.TellAsync(
                new RunStep.Done(new(() => [])
                {
                    Content = "Two.",
                    FinishReason = FinishReason.Stop,
                    Annotations =
                        [JsonNode.Parse("""{"type":"url_citation","url":"https://a.example","title":"A","start_index":0,"end_index":3}""")],
                }),
                TestContext.Current.CancellationToken);
        }

        Assert.Contains("\"start_index\":13,\"end_index\":16", Encoding.UTF8.GetString(body.ToArray()), StringComparison.Ordinal);
    }

    private static JsonNode Written(IClientDialect client) => Written(client, GeminiDialect.Instance, Grounded);

    private static JsonNode Written(IClientDialect client, IProviderDialect provider, string body)
    {
        var output = new ArrayBufferWriter<byte>();
        client.WriteAnswer(provider.ReadAnswer(Encoding.UTF8.GetBytes(body), Request, Target), Request, Head, output);
        return JsonNode.Parse(output.WrittenSpan)!;
    }

    private static List<JsonNode> Frames(IClientDialect client) => Frames(client, GeminiDialect.Instance, Grounded.ReplaceLineEndings(""));

    /// <summary>What the client's stream says, event by event.</summary>
    private static List<JsonNode> Frames(IClientDialect client, IProviderDialect provider, params string[] steps)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = client.OpenWriter(Request, Head);
        Events(provider, steps).ForEach(step => writer.Write(step, output));
        return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n')
            .Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line["data: ".Length..])!)];
    }

    private static void Check(string expected, JsonNode found) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), found), found.ToJsonString());

    private static JsonArray Whole(IProviderDialect dialect, string body) =>
        Citation.Placed(dialect.ReadAnswer(Encoding.UTF8.GetBytes(body), Request, Target).Parts);

    private static JsonArray Streamed(IProviderDialect dialect, params string[] steps)
    {
        var assembly = new AnswerAssembly();
        Events(dialect, steps).ForEach(assembly.Add);
        return Citation.Placed(assembly.Parts);
    }

    private static List<ChatEvent> Events(IProviderDialect dialect, string[] steps)
    {
        var events = new List<ChatEvent>();
        var reader = dialect.OpenReader(Request, Target);
        foreach (var step in steps)
        {
            reader.Read("message", Encoding.UTF8.GetBytes(step), events);
        }
        reader.End(events);
        return events;
    }
}

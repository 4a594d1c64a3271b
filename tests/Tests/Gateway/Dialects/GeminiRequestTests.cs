using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Dialects;

/// <summary>What clients of either dialect say, in the words of Gemini's dialect.</summary>
public sealed class GeminiRequestTests
{
    private const string Hello = """[{"role":"user","content":"Hello"}]""";

    private static readonly string[] UserModelUser = ["user", "model", "user"];

    [Fact]
    public void Sampling_and_limits_have_their_places()
    {
        var config = Config("""
            "max_completion_tokens":50,"temperature":1.5,"top_p":0.9,"frequency_penalty":0.5,"presence_penalty":-0.5,"seed":7,"n":2,
            "stop":["a","b"],"logprobs":true,"top_logprobs":3
            """);

        Assert.Equal(
            """{"maxOutputTokens":50,"temperature":1.5,"topP":0.9,"frequencyPenalty":0.5,"presencePenalty":-0.5,"candidateCount":2,"seed":7,"responseLogprobs":true,"logprobs":3,"stopSequences":["a","b"]}""",
            config.ToJsonString());
        Assert.Equal(
            5, (int)Anthropic($$"""{"model":"m","max_tokens":9,"top_k":5,"messages":{{Hello}}}""").Json["generationConfig"]!["topK"]!);
    }

    [Fact]
    public void The_model_and_the_stream_are_not_in_the_body()
    {
        var body = OpenAi($$"""{"model":"m","stream":true,"messages":{{Hello}}}""").Json;

        Assert.Equal(["contents", "generationConfig"], body.AsObject().Select(member => member.Key));
    }

    [Fact]
    public void More_answers_than_the_wire_gives_are_refused() =>
        Assert.Equal("unsupported_parameter", Assert.Throws<Failure>(() => OpenAi($$"""{"model":"m","n":9,"messages":{{Hello}}}""")).Code);

    [Fact]
    public void What_the_wire_cannot_say_is_dropped_with_a_warning()
    {
        var (json, warnings) = OpenAi($$$"""
            {"model":"m","messages":{{{Hello}}},"user":"u","metadata":{"a":"b"},"service_tier":"flex","logit_bias":{"1":2},"seed":99999999999,
             "stop":["1","2","3","4"],"parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f","strict":true}}]}
            """);

        Assert.Equal(6, warnings.Count(warning => warning.Contains("dropped: Gemini's dialect has none", StringComparison.Ordinal)));
        Assert.Null(json["generationConfig"]!["seed"]);
    }

    [Fact]
    public void All_system_text_goes_before_the_conversation()
    {
        var json = OpenAi("""
            {"model":"m","messages":[{"role":"system","content":"One"},{"role":"user","content":"Hi"},{"role":"system","content":"Two"},{"role":"user","content":"Ho"}]}
            """).Json;

        Assert.Equal("One\n\nTwo", (string?)json["systemInstruction"]!["parts"]![0]!["text"]);
        Assert.Equal("""[{"role":"user","parts":[{"text":"Hi"},{"text":"Ho"}]}]""", json["contents"]!.ToJsonString());
    }

    [Fact]
    public void A_conversation_begins_with_a_user()
    {
        var json = OpenAi("""{"model":"m","messages":[{"role":"assistant","content":"Welcome"},{"role":"user","content":"Hi"}]}""").Json;

        Assert.Equal(UserModelUser, json["contents"]!.AsArray().Select(content => (string?)content!["role"]));
        Assert.Equal("(continue)", (string?)json["contents"]![0]!["parts"]![0]!["text"]);
    }

    [Fact]
    public void Results_follow_in_the_order_of_their_calls_with_names()
    {
        var json = OpenAi("""
            {"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hi"},
             {"role":"assistant","content":null,"tool_calls":[
               {"id":"a","type":"function","function":{"name":"one","arguments":"{\"x\":1}"}},
               {"id":"b","type":"function","function":{"name":"2 two","arguments":""}},
               {"id":"c","type":"function","function":{"name":"three","arguments":"not json"}},
               {"id":"d","type":"function","function":{"name":"four","arguments":"[1]"}}]},
             {"role":"tool","tool_call_id":"d","content":""},
             {"role":"tool","tool_call_id":"b","content":"plain"},
             {"role":"tool","tool_call_id":"a","content":"{\"ok\":true}"},
             {"role":"tool","tool_call_id":"c","content":"[1,2]"}]}
            """).Json;
        var alias = ToolNames.GeminiAlias("2 two");

        Assert.Matches("^_2_two_[0-9a-f]{6}$", alias);
        Assert.Equal(
            $$$$$"""[{"functionCall":{"id":"a","name":"one","args":{"x":1}}},{"functionCall":{"id":"b","name":"{{{{{alias}}}}}","args":{}}},{"functionCall":{"id":"c","name":"three","args":{"_raw":"not json"}}},{"functionCall":{"id":"d","name":"four","args":{"value":[1]}}}]""",
            json["contents"]![1]!["parts"]!.ToJsonString());
        Assert.Equal(
            $$$$$"""[{"functionResponse":{"id":"a","name":"one","response":{"ok":true}}},{"functionResponse":{"id":"b","name":"{{{{{alias}}}}}","response":{"result":"plain"}}},{"functionResponse":{"id":"c","name":"three","response":{"result":[1,2]}}},{"functionResponse":{"id":"d","name":"four","response":{"result":""}}}]""",
            json["contents"]![2]!["parts"]!.ToJsonString());
        Assert.Equal("user", (string?)json["contents"]![2]!["role"]);
    }

    [Fact]
    public void A_failed_result_and_a_shown_picture_are_told()
    {
        var json = Anthropic("""
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},
             {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"look","input":{}},{"type":"tool_use","id":"b","name":"fail","input":{}}]},
             {"role":"user","content":[
               {"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"seen"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},
               {"type":"tool_result","tool_use_id":"b","content":"{\"no\":1}","is_error":true}]}]}
            """).Json;

        var parts = json["contents"]![2]!["parts"]!.AsArray();
        Assert.Equal("""{"result":"seen"}""", parts[0]!["functionResponse"]!["response"]!.ToJsonString());
        Assert.Equal("""{"error":"{\u0022no\u0022:1}"}""", parts[1]!["functionResponse"]!["response"]!.ToJsonString());
        Assert.Equal("""{"mimeType":"image/png","data":"iVBORw0KGgo="}""", parts[2]!["inlineData"]!.ToJsonString());
    }

    [Fact]
    public void Media_are_inline()
    {
        var json = OpenAi("""
            {"model":"m","messages":[{"role":"user","content":[
              {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"high"}},
              {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},
              {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0x"}},
              {"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,SGk="}}]}]}
            """).Json;

        Assert.Equal(
            ["image/png iVBORw0KGgo=", "audio/wav AAAA", "application/pdf JVBERi0x", "text/plain SGk="],
            json["contents"]![0]!["parts"]!.AsArray().Select(part => $"{part!["inlineData"]!["mimeType"]} {part["inlineData"]!["data"]}"));
        Assert.Equal("MEDIA_RESOLUTION_HIGH", (string?)json["generationConfig"]!["mediaResolution"]);
    }

    [Fact]
    public void A_file_kept_elsewhere_is_refused() => Assert.Equal("unsupported_content", Assert.Throws<Failure>(() => OpenAi(
        """{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}""")).Code);

    [Theory]
    [InlineData("\"auto\"", """{"mode":"AUTO"}""")]
    [InlineData("\"none\"", """{"mode":"NONE"}""")]
    [InlineData("\"required\"", """{"mode":"ANY"}""")]
    [InlineData("""{"type":"function","function":{"name":"g"}}""", """{"mode":"ANY","allowedFunctionNames":["g"]}""")]
    [InlineData("""{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}""",
        """{"mode":"ANY","allowedFunctionNames":["g"]}""")]
    public void A_choice_of_tools_is_a_mode(string choice, string mode)
    {
        var json = OpenAi($$"""{"model":"m","messages":{{Hello}},"tools":{{Tools}},"tool_choice":{{choice}}}""").Json;

        Assert.Equal(mode, json["toolConfig"]!["functionCallingConfig"]!.ToJsonString());
        Assert.Equal(2, json["tools"]![0]!["functionDeclarations"]!.AsArray().Count);
    }

    [Fact]
    public void A_free_choice_among_some_shows_only_those()
    {
        var json = OpenAi($$"""
            {"model":"m","messages":{{Hello}},"tools":{{Tools}},
             "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"} }]} } }
            """).Json;

        Assert.Equal("""{"mode":"AUTO"}""", json["toolConfig"]!["functionCallingConfig"]!.ToJsonString());
        Assert.Equal("""[{"name":"g"}]""", json["tools"]![0]!["functionDeclarations"]!.ToJsonString());
    }

    [Fact]
    public void A_choice_without_tools_is_left_out() =>
        Assert.Null(OpenAi($$"""{"model":"m","messages":{{Hello}},"tool_choice":"none"}""").Json["toolConfig"]);

    [Fact]
    public void Newer_models_take_a_schema_as_it_is()
    {
        var json = OpenAi($$"""{"model":"gemini-2.5-flash","messages":{{Hello}},"tools":{{Tools}},"response_format":{{Format}}}""").Json;

        Assert.Equal("""{"type":"object","properties":{"x":{"type":"integer"}}}""",
            json["tools"]![0]!["functionDeclarations"]![0]!["parametersJsonSchema"]!.ToJsonString());
        Assert.Equal("application/json", (string?)json["generationConfig"]!["responseMimeType"]);
        Assert.NotNull(json["generationConfig"]!["responseJsonSchema"]!["$defs"]);
    }

    [Fact]
    public void Older_models_take_the_subset_of_openapi()
    {
        var json = OpenAi($$"""{"model":"gemini-2.0-flash","messages":{{Hello}},"tools":{{Tools}},"response_format":{{Format}}}""").Json;

        Assert.Equal("""{"type":"OBJECT","properties":{"x":{"type":"INTEGER"}}}""",
            json["tools"]![0]!["functionDeclarations"]![0]!["parameters"]!.ToJsonString());
        Assert.Equal(
            """{"type":"OBJECT","properties":{"kind":{"type":"STRING","enum":["a"]},"place":{"type":"OBJECT","properties":{"city":{"type":"STRING","nullable":true}},"required":["city"]}}}""",
            json["generationConfig"]!["responseSchema"]!.ToJsonString());
    }

    [Theory]
    [InlineData("gemini-2.5-flash", "", """[{"googleSearch":{}}]""")]
    [InlineData("gemini-3-pro", ""","tools":[{"type":"function","function":{"name":"f"}}]""",
        """[{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}]""")]
    [InlineData(
        "gemini-2.5-flash", ""","tools":[{"type":"function","function":{"name":"f"}}]""", """[{"functionDeclarations":[{"name":"f"}]}]""")]
    public void A_search_of_the_web_is_googles(string model, string tools, string expected) => Assert.Equal(
        expected, OpenAi(
            $$$"""{"model":"{{{model}}}","messages":{{{Hello}}},"web_search_options":{ } {{{tools}}} }""").Json["tools"]!.ToJsonString());

    [Fact]
    public void Anthropics_tool_for_a_search_is_googles_too() => Assert.Equal(
        """[{"googleSearch":{}}]""",
        Anthropic($$$"""{"model":"gemini-2.5-pro","max_tokens":9,"messages":{{{Hello}}},"tools":[{"type":"web_search_20250305","name":"web_search"}]}""").Json["tools"]!.ToJsonString());

    [Fact]
    public void References_that_multiply_are_refused_where_they_have_to_be_replaced()
    {
        var definitions = new JsonObject { ["d5"] = new JsonObject { ["type"] = "string" } };
        for (var level = 0; level < 5; level++)
        {
            var properties = new JsonObject(Enumerable.Range(0, 100).Select(
                index => KeyValuePair.Create($"p{index}", (JsonNode?)new JsonObject { ["$ref"] = $"#/$defs/d{level + 1}" })));
            definitions[$"d{level}"] = new JsonObject { ["type"] = "object", ["properties"] = properties };
        }
        var format = new JsonObject
        {
            ["type"] = "json_schema",
            ["json_schema"] =
                new JsonObject { ["name"] = "a", ["schema"] = new JsonObject { ["$ref"] = "#/$defs/d1", ["$defs"] = definitions } },
        };
        var body = new JsonObject { ["model"] = "gemini-2.0-flash", ["messages"] = JsonNode.Parse(Hello), ["response_format"] = format };

        Assert.Equal("unsupported_schema", Assert.Throws<Failure>(() => OpenAi(body.ToJsonString())).Code);
    }

    [Fact]
    public void A_schema_without_end_is_refused_where_references_are_unknown()
    {
        var endless =
            """{"type":"json_schema","json_schema":{"name":"a","schema":{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}}}}}}}""";

        Assert.Equal("unsupported_schema", Assert.Throws<Failure>(
            () => OpenAi($$"""{"model":"gemini-2.0-flash","messages":{{Hello}},"response_format":{{endless}}}""")).Code);
        OpenAi($$"""{"model":"gemini-2.5-flash","messages":{{Hello}},"response_format":{{endless}}}""");
    }

    [Fact]
    public void Any_object_is_asked_for_by_its_type() =>
        Assert.Equal(
            """{"responseMimeType":"application/json"}""", Config("\"response_format\":{\"type\":\"json_object\"}").ToJsonString());

    [Theory]
    [InlineData("gemini-2.5-flash", "none", """{"includeThoughts":false,"thinkingBudget":0}""")]
    [InlineData("gemini-2.5-pro", "none", """{"includeThoughts":false,"thinkingBudget":128}""")]
    [InlineData("gemini-2.5-flash", "minimal", """{"includeThoughts":true,"thinkingBudget":1024}""")]
    [InlineData("gemini-2.5-flash", "low", """{"includeThoughts":true,"thinkingBudget":1024}""")]
    [InlineData("gemini-2.5-flash", "medium", """{"includeThoughts":true,"thinkingBudget":8192}""")]
    [InlineData("gemini-2.5-flash", "high", """{"includeThoughts":true,"thinkingBudget":24576}""")]
    [InlineData("gemini-2.5-pro", "xhigh", """{"includeThoughts":true,"thinkingBudget":32768}""")]
    [InlineData("gemini-2.5-flash", "xhigh", """{"includeThoughts":true,"thinkingBudget":24576}""")]
    [InlineData("gemini-3-flash-preview", "none", """{"includeThoughts":false,"thinkingLevel":"minimal"}""")]
    [InlineData("gemini-3-flash-preview", "minimal", """{"includeThoughts":true,"thinkingLevel":"minimal"}""")]
    [InlineData("gemini-3.1-pro-preview", "minimal", """{"includeThoughts":true,"thinkingLevel":"low"}""")]
    [InlineData("gemini-3-flash-preview", "medium", """{"includeThoughts":true,"thinkingLevel":"medium"}""")]
    [InlineData("gemini-3-flash-preview", "xhigh", """{"includeThoughts":true,"thinkingLevel":"high"}""")]
    public void Effort_is_a_budget_or_a_level(string model, string effort, string expected) => Assert.Equal(
        expected,
        OpenAi($$"""{"model":"{{model}}","messages":{{Hello}},"reasoning_effort":"{{effort}}"}""").Json["generationConfig"]!["thinkingConfig"]!.ToJsonString());

    [Theory]
    [InlineData("gemini-2.5-flash", """{"includeThoughts":true,"thinkingBudget":2000}""")]
    [InlineData("gemini-3-flash-preview", """{"includeThoughts":true,"thinkingLevel":"medium"}""")]
    public void A_budget_is_kept_or_becomes_a_level(string model, string expected) => Assert.Equal(
        expected,
        Anthropic($$"""{"model":"{{model}}","max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":{{Hello}}}""")
            .Json["generationConfig"]!["thinkingConfig"]!.ToJsonString());

    [Fact]
    public void A_model_that_cannot_think_is_not_asked_to()
    {
        var (json, warnings) = OpenAi($$"""{"model":"gemini-2.0-flash","messages":{{Hello}},"reasoning_effort":"high"}""");

        Assert.Null(json["generationConfig"]!["thinkingConfig"]);
        Assert.Contains("reasoning dropped: the model does not reason", warnings);
    }

    [Theory]
    [InlineData("gemini-3-flash-preview", "skip_thought_signature_validator")]
    [InlineData("gemini-2.5-flash", null)]
    public void A_call_whose_signature_is_lost_says_so_to_models_that_insist(string model, string? expected)
    {
        var parts = OpenAi($$$"""
            {"model":"{{{model}}}","messages":[{"role":"user","content":"Hi"},
             {"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}]}
            """).Json["contents"]![1]!["parts"]!;

        Assert.Equal(expected, (string?)parts[0]!["thoughtSignature"]);
        Assert.Null(parts[1]!["thoughtSignature"]);
    }

    private const string Tools = """
        [{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"x":{"type":"integer"}}}}},
         {"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]
        """;

    private const string Format = """
        {"type":"json_schema","json_schema":{"name":"a","schema":{"$schema":"x","type":"object","additionalProperties":false,
          "properties":{"kind":{"const":"a"},"place":{"$ref":"#/$defs/place"}},
          "$defs":{"place":{"type":"object","properties":{"city":{"type":["string","null"]}},"required":["city"],"patternProperties":{}}}}}}
        """;

    private static JsonNode Config(string fields) =>
        OpenAi($$"""{"model":"m","messages":{{Hello}},{{fields}}}""").Json["generationConfig"]!;

    private static (JsonNode Json, List<string> Warnings) OpenAi(string body) => Write(OpenAiDialect.Instance, body);

    private static (JsonNode Json, List<string> Warnings) Anthropic(string body) => Write(AnthropicDialect.Of(version: null), body);

    private static (JsonNode Json, List<string> Warnings) Write(IClientDialect client, string body)
    {
        var request = client.ReadRequest(Encoding.UTF8.GetBytes(body));
        var output = new ArrayBufferWriter<byte>();
        GeminiDialect.Instance.WriteRequest(request, new DialectTarget(request.Model), output);
        return (JsonNode.Parse(output.WrittenSpan)!, request.Warnings);
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>One request of a client, in the words of each provider whose chat API is nearly OpenAI's.</summary>
public sealed class ProviderRequestTests
{
    private const string Hello = """[{"role":"system","content":"Be kind"},{"role":"user","content":"Hello"}]""";

    private const string Weather =
        """[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"time"}}]""";

    [Theory]
    [InlineData("openai", "max_completion_tokens", "seed", 2.0, "safety_identifier")]
    [InlineData("groq", "max_completion_tokens", "seed", 2.0, "user")]
    [InlineData("mistral", "max_tokens", "random_seed", 1.5, null)]
    [InlineData("openrouter", "max_tokens", "seed", 2.0, "user")]
    [InlineData("grok", "max_tokens", "seed", 2.0, "user")]
    [InlineData("deepseek", "max_tokens", "seed", 2.0, null)]
    [InlineData("moonshot", "max_tokens", "seed", 1.0, null)]
    [InlineData("ai_ml", "max_tokens", "seed", 2.0, "user")]
    [InlineData("neev_cloud", "max_tokens", "seed", 2.0, "user")]
    [InlineData("openai_compatible", "max_tokens", "seed", 2.0, "user")]
    public void Fields_have_the_names_and_ranges_of_the_provider(string kind, string limit, string seed, double temperature, string? user)
    {
        var sent = Sent(
            kind, $$$"""{"model":"m","messages":{{{Hello}}},"max_tokens":50,"seed":7,"temperature":2,"user":"u1","top_p":0.5}""").Json;

        string[] expected = ["model", "messages", limit, "temperature", "top_p", seed,
            .. user is null ? [] : new[] { user }, .. kind == "openrouter" ? ["usage"] : Array.Empty<string>()];
        Assert.Equal(expected, sent.Select(member => member.Key));
        Assert.Equal((50, 7, temperature), ((int)sent[limit]!, (int)sent[seed]!, (double)sent["temperature"]!));
    }

    [Theory]
    [InlineData("groq")]
    [InlineData("openrouter")]
    [InlineData("deepseek")]
    public void More_answers_than_one_are_refused_where_only_one_is_given(string kind) => Assert.Equal(
        "unsupported_parameter", Assert.Throws<Failure>(() => Sent(kind, $$$"""{"model":"m","messages":{{{Hello}}},"n":2}""")).Code);

    [Theory]
    [InlineData("openai", "gpt-5", "developer")]
    [InlineData("openai", "gpt-4o", "system")]
    [InlineData("openrouter", "m", "developer")]
    [InlineData("groq", "m", "system")]
    [InlineData("mistral", "m", "system")]
    public void System_text_has_the_role_that_the_provider_knows(string kind, string model, string role) =>
        Assert.Equal(role, (string?)Sent(kind, $$$"""{"model":"{{{model}}}","messages":{{{Hello}}}}""").Json["messages"]![0]!["role"]);

    [Theory]
    [InlineData("groq", "high", """{"reasoning_effort":"high","reasoning_format":"parsed"}""")]
    [InlineData("groq", "xhigh", """{"reasoning_effort":"high","reasoning_format":"parsed"}""")]
    [InlineData("groq", "none", """{"reasoning_effort":"none","reasoning_format":"parsed"}""")]
    [InlineData("openrouter", "minimal", """{"reasoning":{"effort":"minimal"}}""")]
    [InlineData("openrouter", "none", """{"reasoning":{"enabled":false}}""")]
    [InlineData("mistral", "medium", """{"reasoning_effort":"medium"}""")]
    [InlineData("grok", "medium", """{"reasoning_effort":"low"}""")]
    [InlineData("deepseek", "high", """{"thinking":{"type":"enabled"}}""")]
    [InlineData("moonshot", "none", """{"thinking":{"type":"disabled"}}""")]
    [InlineData("vllm", "xhigh", """{"reasoning_effort":"xhigh"}""")]
    public void The_wish_to_think_is_worded_as_the_provider_words_it(string kind, string effort, string expected)
    {
        var sent = Sent(kind, $$$"""{"model":"m","messages":{{{Hello}}},"reasoning_effort":"{{{effort}}}"}""").Json;

        foreach (var known in (string[])["model", "messages", "usage"])
        {
            sent.Remove(known);
        }
        Assert.Equal(expected, sent.ToJsonString());
    }

    [Fact]
    public void Models_that_always_think_are_told_so_in_mistrals_prompt_mode() =>
        Assert.Equal("reasoning", (string?)Sent(
            "mistral", $$$"""{"model":"magistral-medium","messages":{{{Hello}}},"reasoning_effort":"low"}""").Json["prompt_mode"]);

    [Fact]
    public void A_budget_of_thoughts_goes_to_openrouter_as_it_is()
    {
        var sent = Sent("openrouter",
            """{"model":"m","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":3000},"messages":[{"role":"user","content":"x"}]}""", isAnthropic: true);

        Assert.Equal("""{"max_tokens":3000}""", sent.Json["reasoning"]!.ToJsonString());
    }

    [Fact]
    public void Usage_is_asked_for_in_streams_as_each_provider_has_it()
    {
        var body = $$$"""{"model":"m","messages":{{{Hello}}},"stream":true}""";

        Assert.Null(Sent("mistral", body).Json["stream_options"]);
        Assert.Equal("""{"include_usage":true}""", Sent("groq", body).Json["stream_options"]!.ToJsonString());
        Assert.Equal("""{"include":true}""", Sent("openrouter", body).Json["usage"]!.ToJsonString());
    }

    [Theory]
    [InlineData("mistral", "any")]
    [InlineData("groq", "required")]
    [InlineData("moonshot", "auto")]
    public void A_demanded_call_has_the_providers_word(string kind, string word) => Assert.Equal(
        word, (string?)Sent(
            kind, $$$"""{"model":"m","messages":{{{Hello}}},"tools":{{{Weather}}},"tool_choice":"required"}""").Json["tool_choice"]);

    [Fact]
    public void Allowed_tools_are_named_to_openai_and_cut_for_others()
    {
        var body = $$$"""
            {"model":"m","messages":{{{Hello}}},"tools":{{{Weather}}},
             "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"time"}}]} }}
            """;

        Assert.Equal(2, Sent("openai", body).Json["tools"]!.AsArray().Count);
        var cut = Sent("mistral", body).Json;
        Assert.Equal("time", (string?)Assert.Single(cut["tools"]!.AsArray())!["function"]!["name"]);
        Assert.Equal("any", (string?)cut["tool_choice"]);
    }

    [Fact]
    public void Mistral_gets_short_ids_names_of_results_and_a_mark_where_it_is_to_go_on()
    {
        var messages = Sent("mistral", """
            {"model":"m","messages":[{"role":"user","content":"x"},
             {"role":"assistant","content":null,"tool_calls":[{"id":"call_0123456789","type":"function","function":{"name":"weather","arguments":"{}"}},
              {"id":"AbCdE1234","type":"function","function":{"name":"time","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"call_0123456789","content":"sun"},{"role":"tool","tool_call_id":"AbCdE1234","content":"noon"},
             {"role":"assistant","content":"It is"}]}
            """).Json["messages"]!.AsArray();

        var calls = messages[1]!["tool_calls"]!.AsArray().Select(call => (string)call!["id"]!).ToList();
        Assert.Matches("^[a-zA-Z0-9]{9}$", calls[0]);
        Assert.Equal("AbCdE1234", calls[1]);
        Assert.Equal([(calls[0], "weather"), (calls[1], "time")],
            messages.Skip(2).Take(2).Select(result => ((string)result!["tool_call_id"]!, (string)result["name"]!)));
        Assert.True((bool)messages[4]!["prefix"]!);
        Assert.Null(messages[1]!["prefix"]);
    }

    [Fact]
    public void Mistral_is_sent_no_field_that_it_would_refuse()
    {
        var (sent, warnings) = Sent("mistral", $$$"""
            {"model":"m","messages":{{{Hello}}},"logit_bias":{"1":2},"logprobs":true,"top_logprobs":2,"verbosity":"low","store":true,"safe_prompt":true,"metadata":{"a":"b"}}
            """);

        Assert.Equal(["model", "messages", "metadata", "safe_prompt"], sent.Select(member => member.Key));
        Assert.Equal(4, warnings.Count(warning => warning.Contains("dropped", StringComparison.Ordinal)));
    }

    [Fact]
    public void Groq_is_sent_no_field_that_it_would_refuse()
    {
        var (sent, _) = Sent("groq", $$$"""
            {"model":"m","messages":{{{Hello}}},"logit_bias":{"1":2},"logprobs":true,"metadata":{"a":"b"},"stop":["1","2","3","4"],"service_tier":"default","search_settings":{}}
            """);

        Assert.Equal(["model", "messages", "stop", "service_tier", "search_settings"], sent.Select(member => member.Key));
        Assert.Equal("on_demand", (string?)sent["service_tier"]);
    }

    [Theory]
    [InlineData("groq", "\"reasoning\":\"I see.\"}")]
    [InlineData("openrouter", "\"reasoning\":\"I see.\",\"reasoning_details\"")]
    [InlineData("vllm", "\"reasoning_content\":\"I see.\",\"reasoning_details\"")]
    [InlineData("mistral",
        """{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"I see."}],"closed":true},{"type":"text","text":"Yes"}]}""")]
    [InlineData("deepseek", """{"role":"assistant","content":"Yes"}""")]
    [InlineData("openai", """{"role":"assistant","content":"Yes"}""")]
    public void Thoughts_go_back_in_the_providers_place(string kind, string expected)
    {
        var sent = Sent(kind, """
            {"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"Yes","reasoning_content":"I see."},{"role":"user","content":"y"}]}
            """);

        Assert.Contains(expected, sent.Json["messages"]![1]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Deepseek_reads_its_thoughts_again_where_it_called_tools()
    {
        var sent = Sent("deepseek", """
            {"model":"m","messages":[{"role":"user","content":"x"},
             {"role":"assistant","content":null,"reasoning_content":"I see.","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"a","content":"1"}]}
            """);

        Assert.Equal("I see.", (string?)sent.Json["messages"]![1]!["reasoning_content"]);
    }

    [Fact]
    public void A_schema_goes_into_the_prompt_where_the_format_cannot_hold_it()
    {
        var sent = Sent("deepseek", $$$"""
            {"model":"m","messages":{{{Hello}}},"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"city":{"type":"string"}} }} }}
            """).Json;

        Assert.Equal("""{"type":"json_object"}""", sent["response_format"]!.ToJsonString());
        Assert.Contains("\"city\"", (string)sent["messages"]![0]!["content"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openai", """{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","filename":"a.pdf"}}""")]
    [InlineData("mistral", """{"type":"document_url","document_url":"data:application/pdf;base64,JVBERi0=","document_name":"a.pdf"}""")]
    [InlineData("groq", null)]
    public void A_document_is_sent_as_the_provider_takes_it(string kind, string? expected)
    {
        const string body = """
            {"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","filename":"a.pdf"}}]}]}
            """;

        if (expected is null)
        {
            Assert.Equal("unsupported_content", Assert.Throws<Failure>(() => Sent(kind, body)).Code);
            return;
        }
        Assert.Equal(expected, Sent(kind, body).Json["messages"]![0]!["content"]![1]!.ToJsonString());
    }

    [Theory]
    [InlineData("groq")]
    [InlineData("deepseek")]
    public void Sound_is_refused_where_nobody_hears_it(string kind) => Assert.Equal(
        "unsupported_content",
        Assert.Throws<Failure>(
            () => Sent(kind,
                """{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}""")).Code);

    [Fact]
    public void Anthropics_top_k_reaches_openrouter_only()
    {
        const string body = """{"model":"m","max_tokens":9,"top_k":5,"messages":[{"role":"user","content":"x"}]}""";

        Assert.Equal(5, (int)Sent("openrouter", body, isAnthropic: true).Json["top_k"]!);
        Assert.Null(Sent("groq", body, isAnthropic: true).Json["top_k"]);
    }

    private static (JsonObject Json, List<string> Warnings) Sent(string kind, string body, bool isAnthropic = false)
    {
        IClientDialect client = isAnthropic ? AnthropicDialect.Of(version: null) : OpenAiDialect.Instance;
        var request = client.ReadRequest(Encoding.UTF8.GetBytes(body));
        var output = new ArrayBufferWriter<byte>();
        OpenAiDialect.Instance.WriteRequest(request, new DialectTarget(request.Model) { Traits = ProviderKind.Find(kind)!.Traits }, output);
        return (JsonNode.Parse(output.WrittenSpan)!.AsObject(), request.Warnings);
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Configuration;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Configuration;

/// <summary>Which parameters go to a model, row by row.</summary>
public sealed class ModelParametersTests
{
    private const string Rules = """
        {"model":{"field":"drop","default":"m","level":1},
         "creativity_level":{"field":"slider","default":1,"min":0,"max":2,"step":0.1,"level":2},
         "max_tokens":{"field":"slider","default":256,"min":1,"max":16384,"step":1,"level":0},
         "top":{"field":"number","default":5,"level":1},
         "choice":{"field":"select","options":["low","high"],"default":"low","level":0},
         "response_type":{"field":"select","options":[{"type":"text"},{"type":"json_schema"}],"default":{"type":"text"},"level":0},
         "parallel_tool_calls":{"field":"boolean","default":true,"level":0},
         "stop":{"field":"text","default":"","level":0}}
        """;

    [Theory]
    [InlineData("{}", "{}", """{"creativity_level":1,"top":5}""")] // required and level 2: with their defaults
    [InlineData("""{"max_tokens":100}""", "{}", """{"creativity_level":1,"max_tokens":100,"top":5}""")]
    [InlineData("""{"max_tokens":100}""", """{"max_tokens":200}""", """{"creativity_level":1,"max_tokens":200,"top":5}""")] // the request wins
    [InlineData("""{"creativity_level":"default","top":"default"}""", "{}", "{}")] // as the provider likes
    [InlineData("""{"creativity_level":"max","max_tokens":"min","top":1}""", "{}", """{"creativity_level":2,"max_tokens":1,"top":1}""")]
    [InlineData("""{"creativity_level":{"mode":"max","value":1},"top":1}""", "{}", """{"creativity_level":2,"top":1}""")]
    [InlineData("""{"creativity_level":{"mode":"custom","value":0.4},"top":1}""", "{}", """{"creativity_level":0.4,"top":1}""")]
    [InlineData("""{"creativity_level":{"mode":"default","value":0.4},"top":1}""", "{}", """{"top":1}""")]
    [InlineData("""{"creativity_level":9,"max_tokens":-5,"top":1}""", "{}", """{"creativity_level":2,"max_tokens":1,"top":1}""")] // held within the bounds
    [InlineData("""{"creativity_level":0.44,"max_tokens":10.6,"top":1}""", "{}", """{"creativity_level":0.4,"max_tokens":11,"top":1}""")] // and to the step
    [InlineData("""{"creativity_level":"0.7","top":"3"}""", "{}", """{"creativity_level":0.7,"top":3}""")] // numbers in texts
    [InlineData("""{"creativity_level":1,"top":1,"choice":"high","parallel_tool_calls":"false","stop":["a"]}""", "{}",
        """{"creativity_level":1,"top":1,"choice":"high","parallel_tool_calls":false,"stop":["a"]}""")]
    [InlineData("""{"creativity_level":1,"top":1,"response_type":"json_schema"}""", "{}",
        """{"creativity_level":1,"top":1,"response_type":{"type":"json_schema"}}""")]
    [InlineData("""{"creativity_level":1,"top":1,"response_type":{"type":"json_schema","json_schema":{"a":1}}}""", "{}",
        """{"creativity_level":1,"top":1,"response_type":{"type":"json_schema","json_schema":{"a":1}}}""")]
    [InlineData("""{"creativity_level":1,"top":1,"prompt":"x","type":"chat","unknown":5}""", "{}", """{"creativity_level":1,"top":1}""")]
    [InlineData("""{"creativity_level":null,"top":1}""", """{"top":null}""", """{"creativity_level":1,"top":1}""")] // null is absent
    public void A_value_is_resolved(string stored, string request, string sent) =>
        Assert.Equal(sent, ModelParameters.Resolve(Model("openai"), Element(stored), (JsonObject)JsonNode.Parse(request)!).ToJsonString());

    [Theory]
    [InlineData("creativity_level", "\"warm\"")]
    [InlineData("creativity_level", "true")]
    [InlineData("creativity_level", "1e30")]
    [InlineData("choice", "\"middle\"")]
    [InlineData("parallel_tool_calls", "\"maybe\"")]
    [InlineData("response_type", """{"type":"xml"}""")]
    [InlineData("stop", "5")]
    [InlineData("max_tokens", """{"mode":"custom"}""")]
    public void A_value_that_the_model_cannot_take_is_refused_by_its_name(string name, string value)
    {
        var failure = Assert.Throws<Failure>(() => ModelParameters.Resolve(Model("openai"), Element($$"""{"{{name}}":{{value}}}""")));

        Assert.Equal((FailureKind.Invalid, $"configuration.{name}"), (failure.Kind, failure.Fields[0].Field));
    }

    [Fact]
    public void A_step_or_a_price_that_arithmetic_cannot_hold_counts_as_none()
    {
        var rules = Element("""{"model":{},"fine":{"field":"number","step":0.0000000000000000000000000001,"level":0}}""");
        var dear = Element("""{"usage":[{"total_cost":{"input_cost":79000000000000000000000000000,"output_cost":1}}]}""");
        var model = new ModelDocument("openai", "m", null, OrganizationId: null, IsEnabled: true, rules, Element("{}"), dear);

        Assert.Equal("""{"fine":100}""", ModelParameters.Resolve(model, Element("""{"fine":100}""")).ToJsonString());
        Assert.Null(model.Price);
    }

    [Fact]
    public void Anthropic_always_wants_max_tokens() => Assert.Equal(
        """{"max_tokens":256}""",
        ModelParameters.Resolve(Model("anthropic"), Element("""{"creativity_level":"default","top":"default","max_tokens":"default"}"""))
        .ToJsonString());

    [Fact]
    public void Every_known_model_resolves_and_the_default_model_of_every_service_is_known()
    {
        Assert.All(KnownModels.All, model => ModelParameters.Resolve(model, Element("{}")));
        Assert.All(KnownModels.All,
            model => Assert.Equal(model.ModelName, model.Configuration.GetProperty("model").GetProperty("default").GetString()));
        Assert.Equal(2.5m, KnownModels.All.Single(model => model is { Service: "openai", ModelName: "gpt-4o" }).Price!.Input);
    }

    private static ModelDocument Model(string service) => new(service, "m", "M", null, true, Element(Rules), Element("{}"), Element("{}"));

    private static JsonElement Element(string json) => JsonDocument.Parse(json).RootElement;
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// What a model takes, what it can and what it costs, as everybody reads it; <see cref="ModelConfiguration"/> is the row.
/// </summary>
/// <param name="OrganizationId">Null for models that every organization may use.</param>
/// <param name="Configuration">The parameters by their neutral names: <c>{field, default, min, max, step, level, options}</c>.</param>
/// <param name="ValidationConfig"><c>{type, vision, files, tools, system_prompt, specification}</c>.</param>
/// <param name="OutputConfig">Where the provider's answer has what, and what tokens cost.</param>
internal sealed record ModelDocument(
    string Service, string ModelName, string? DisplayName, Guid? OrganizationId, bool IsEnabled,
    JsonElement Configuration, JsonElement ValidationConfig, JsonElement OutputConfig)
{
    /// <summary><c>chat</c> unless the document says otherwise.</summary>
    public string Type => ValidationConfig.TextOf("type") ?? "chat";

    /// <summary>Null where the document has no price.</summary>
    public ModelPrice? Price { get; } = ModelPrice.Of(OutputConfig);

    /// <summary>Tokens that it reads and writes together, as its document says it; null where it does not.</summary>
    public double? ContextWindow { get; } = ValidationConfig.Member("specification").Member("context_window").AsNumber();

    /// <summary>The name of the model itself is none.</summary>
    public IReadOnlyList<ParameterRule> Parameters => field ??=
    [
        .. Configuration.EnumerateObject().Where(one => one.Name != "model" && one.Value.ValueKind == JsonValueKind.Object)
            .Select(one => new ParameterRule(one.Name, one.Value)),
    ];

    public bool IsUsableBy(Guid organizationId) => IsEnabled && (OrganizationId is null || OrganizationId == organizationId);

    public static ModelDocument Of(ModelConfiguration row)
    {
        // From its bytes: an element of the node itself would change when somebody changes the node.
        var document = JsonSerializer.SerializeToElement(row.Document, GatewayJson.Default.JsonObject);
        return new(
            row.Service, row.ModelName, document.TextOf("display_name"), row.OrganizationId, row.IsEnabled,
            ObjectOf(document, "configuration"), ObjectOf(document, "validationConfig"), ObjectOf(document, "outputConfig"));
    }

    /// <summary>As <c>/api/service/{service}</c> lists it.</summary>
    public JsonObject ToListed()
    {
        var parameters = new JsonObject();
        foreach (var parameter in Configuration.EnumerateObject().Where(parameter => parameter.Name != "model"))
        {
            parameters[parameter.Name] = NodeOf(parameter.Value);
        }
        return new()
        {
            ["configuration"] =
                new JsonObject { ["model"] = NodeOf(Configuration.Member("model")), ["additional_parameters"] = parameters },
            ["validationConfig"] = NodeOf(ValidationConfig),
            ["outputConfig"] = NodeOf(OutputConfig),
            ["display_name"] = DisplayName,
            ["status"] = IsEnabled ? 1 : 0,
            ["org_id"] = OrganizationId?.ToString(),
        };
    }

    private static JsonNode? NodeOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(element),
        JsonValueKind.Array => JsonArray.Create(element),
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        _ => JsonValue.Create(element),
    };

    private static JsonElement ObjectOf(JsonElement document, string name) =>
        document.Member(name) is { ValueKind: JsonValueKind.Object } found ? found : Empty;

    private static readonly JsonElement Empty = JsonDocument.Parse("{}").RootElement;
}

/// <summary>US dollars for a million tokens.</summary>
internal sealed record ModelPrice(decimal Input, decimal Output, decimal CacheRead, decimal CacheWrite)
{
    /// <summary>
    /// From <c>outputConfig.usage[0].total_cost</c>: <c>cached_cost</c>, or <c>caching_read_cost</c> where that is 0; a cache that has no
    /// price of its own costs what fresh input costs.
    /// </summary>
    public static ModelPrice? Of(JsonElement outputConfig)
    {
        var cost = outputConfig.ItemsOf("usage").FirstOrDefault().Member("total_cost");
        if (Amount(cost, "input_cost") is not { } input || Amount(cost, "output_cost") is not { } output)
        {
            return null;
        }
        return new(
            input, output, Given(Amount(cost, "cached_cost")) ?? Given(Amount(cost, "caching_read_cost")) ?? input,
            Given(Amount(cost, "caching_write_cost")) ?? input);
    }

    // Far beyond any price: an organization writes what it likes, and the sums must hold it.
    private const decimal Most = 1_000_000;

    private static decimal? Given(decimal? amount) => amount > 0 ? amount : null;

    private static decimal? Amount(JsonElement cost, string name) =>
        cost.Member(name) is { ValueKind: JsonValueKind.Number } number
            && number.TryGetDecimal(out var amount) && amount is >= 0 and <= Most
            ? amount
            : null;
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Agents;

/// <summary>
/// What a body changes in a document, by the rules of GTWY's wire: objects of parts are merged member by member, lists and plain values
/// replaced, unknown fields passed over, a null member taken away. Pure: what is referred to is checked by who saves it.
/// </summary>
internal sealed class DocumentChange
{
    private const int MaxText = 200_000;

    private enum Rule
    {
        Text,
        Flag,
        Texts,
        Array,
        Object,
        Merged,
        Any,
    }

    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        ["apikey_object_id"] = Rule.Object,
        ["variables_path"] = Rule.Merged,
        ["variables_state"] = Rule.Merged,
        ["function_ids"] = Rule.Texts,
        ["pre_tools"] = Rule.Array,
        ["pre_tools_data"] = Rule.Object,
        ["post_tool"] = Rule.Object,
        ["doc_ids"] = Rule.Array,
        ["gpt_memory"] = Rule.Flag,
        ["gpt_memory_context"] = Rule.Text,
        ["user_reference"] = Rule.Text,
        ["starterQuestion"] = Rule.Texts,
        ["IsstarterQuestionEnable"] = Rule.Flag,
        ["auto_model_select"] = Rule.Object,
        ["cache_on"] = Rule.Flag,
        ["web_search_filters"] = Rule.Any,
        ["gtwy_web_search_filters"] = Rule.Any,
        ["connected_agent_flow"] = Rule.Object,
        ["agent_info"] = Rule.Merged,
        ["settings"] = Rule.Merged,
        ["embed_override"] = Rule.Object,
        ["actions"] = Rule.Merged,
        ["chatbot_auto_answers"] = Rule.Flag,
        ["wrapper_id"] = Rule.Text,
        ["version_description"] = Rule.Text,
    };

    private DocumentChange(JsonObject document) => Document = document;

    public JsonObject Document { get; }

    /// <summary>The fields that differ now; of the configuration each by its own name.</summary>
    public List<string> Fields { get; } = [];

    /// <param name="body">In the settings generation (<see cref="AgentShape.ToSettings"/>).</param>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid, naming the field.</exception>
    public static DocumentChange Apply(JsonObject document, JsonObject body)
    {
        var change = new DocumentChange((JsonObject)document.DeepClone());
        foreach (var (name, rule) in Rules)
        {
            if (body.ContainsKey(name))
            {
                change.Set(name, change.Valued(body, name, rule));
            }
        }
        if (body.Object("configuration") is { } configuration)
        {
            change.Configure(configuration);
        }
        change.SwitchBuiltInTool(body.Object("built_in_tools_data"));
        change.ConnectAgents(body.Object("agents"));
        change.SwitchFunction(body.Object("functionData"));
        return change;
    }

    /// <summary>Takes another value for a whole field; null takes the field away.</summary>
    public void Set(string name, JsonNode? value)
    {
        if (JsonNode.DeepEquals(Document[name], value))
        {
            return;
        }
        Document.Remove(name);
        if (value is not null)
        {
            Document[name] = value;
        }
        if (!Fields.Contains(name))
        {
            Fields.Add(name);
        }
    }

    private JsonNode? Valued(JsonObject body, string name, Rule rule) => rule switch
    {
        Rule.Text => body.Text(name, MaxText) is { } text ? JsonValue.Create(text) : null,
        Rule.Flag => body.Flag(name) is { } flag ? JsonValue.Create(flag) : null,
        Rule.Texts => body.Texts(name) is { } texts ? new JsonArray([.. texts.Select(text => JsonValue.Create(text))]) : null,
        Rule.Array => body.Array(name)?.DeepClone(),
        Rule.Object => body.Object(name)?.DeepClone(),
        Rule.Merged => Merged(Document[name] as JsonObject, body.Object(name)),
        _ => body[name]?.DeepClone(),
    };

    private static JsonObject Merged(JsonObject? old, JsonObject? more)
    {
        var merged = old is null ? [] : (JsonObject)old.DeepClone();
        foreach (var (name, value) in more ?? [])
        {
            merged.Remove(name);
            if (value is not null)
            {
                merged[name] = value.DeepClone();
            }
        }
        return merged;
    }

    private void Configure(JsonObject more)
    {
        more.Text("model", 256);
        var type = more.Text("type", 64);
        var configuration = Document.ObjectOrNew("configuration");
        foreach (var (name, value) in more)
        {
            if (!JsonNode.DeepEquals(configuration[name], value))
            {
                configuration.Remove(name);
                if (value is not null)
                {
                    configuration[name] = value.DeepClone();
                }
                Fields.Add(name);
            }
        }
        if (type is not (null or "fine-tune"))
        {
            configuration.Remove("fine_tune_model");
        }
        if (more["response_type"] is JsonObject format && format["json_schema"] is { } schema
            && SchemaShape.ProblemOf(schema) is { } problem)
        {
            throw GtwyFields.Wrong("response_type", $"holds a schema that is none: {problem}");
        }
    }

    private void SwitchBuiltInTool(JsonObject? data)
    {
        if (data?.Text("built_in_tools", 128) is not { } tool)
        {
            return;
        }
        Set("built_in_tools", Switched("built_in_tools", tool, data.Word("built_in_tools_operation", "1", "0") != "0"));
    }

    private void ConnectAgents(JsonObject? data)
    {
        if (data?.Object("connected_agents") is not { } agents)
        {
            return;
        }
        var isAdded = data.Word("agent_status", "1", "0") != "0";
        var connected = Document["connected_agents"] is JsonObject old ? (JsonObject)old.DeepClone() : [];
        foreach (var (name, link) in agents)
        {
            connected.Remove(name);
            if (isAdded)
            {
                connected[name] = link is JsonObject ? link.DeepClone()
                    : throw GtwyFields.Wrong("agents.connected_agents", "must hold objects");
            }
        }
        Set("connected_agents", connected);
    }

    private void SwitchFunction(JsonObject? data)
    {
        if (data?.Text("function_id", 64) is not { } function)
        {
            return;
        }
        var isAdded = data.Word("function_operation", "1", "0") != "0";
        Set("function_ids", Switched("function_ids", function, isAdded));
        if (!isAdded && data.Text("script_id", 512) is { } script
            && Document["variables_path"] is JsonObject paths && paths.ContainsKey(script))
        {
            var fewer = (JsonObject)paths.DeepClone();
            fewer.Remove(script);
            Set("variables_path", fewer);
        }
    }

    private JsonArray Switched(string list, string item, bool isAdded)
    {
        var items = (Document[list] as JsonArray ?? [])
            .Select(node => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null)
            .OfType<string>().Where(known => known != item).ToList();
        if (isAdded)
        {
            items.Add(item);
        }
        return new([.. items.Select(known => JsonValue.Create(known))]);
    }
}

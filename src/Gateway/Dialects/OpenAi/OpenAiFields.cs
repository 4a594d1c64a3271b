using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>What requests say alike in both of OpenAI's APIs, chat completions and responses.</summary>
internal static class OpenAiFields
{
    /// <summary>The request with this field in it; null for a field that the two do not share.</summary>
    public static ChatRequest? Read(ChatRequest request, Node field) => field.Name switch
    {
        "model" => request with { Model = field.Text(atMost: 512) },
        "temperature" => request with { Sampling = request.Sampling with { Temperature = field.Number(0, 2) } },
        "top_p" => request with { Sampling = request.Sampling with { TopP = field.Number(0, 1) } },
        "stream" => request with { Stream = field.Flag() },
        "parallel_tool_calls" => request with { Parallel = field.Flag() },
        "metadata" => request with { Metadata = ReadMetadata(field) },
        "service_tier" => request with { ServiceTier = field.Text() },
        "user" => request with { UserId = request.UserId ?? field.Text() },
        // The newer name of the same thing.
        "safety_identifier" => request with { UserId = field.Text() },
        _ => null,
    };

    public static Effort ReadEffort(Node node) => node.Text() switch
    {
        "none" => Effort.None,
        "minimal" => Effort.Minimal,
        "low" => Effort.Low,
        "medium" => Effort.Medium,
        "high" => Effort.High,
        "xhigh" => Effort.ExtraHigh,
        "max" => Effort.Max,
        _ => throw node.NotOneOf("'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'"),
    };

    /// <summary>A choice that is one word.</summary>
    public static ToolChoice ReadChoiceWord(Node word) => word.Text() switch
    {
        "auto" => new(ToolChoiceMode.Auto),
        "none" => new(ToolChoiceMode.None),
        "required" => new(ToolChoiceMode.Required),
        _ => throw word.NotOneOf("'none', 'auto', 'required'"),
    };

    /// <summary>A choice among some of the tools.</summary>
    public static ToolChoice Subset(Node mode, List<string> names) => mode.Text() switch
    {
        "auto" => new(ToolChoiceMode.Auto, Allowed: names),
        "required" => new(ToolChoiceMode.Required, Allowed: names),
        _ => throw mode.NotOneOf("'auto', 'required'"),
    };

    /// <param name="demand">The word for "must call a tool".</param>
    public static string? Word(ToolChoiceMode mode, string? demand = "required") => mode switch
    {
        ToolChoiceMode.None => "none",
        ToolChoiceMode.Required => demand,
        ToolChoiceMode.Auto or ToolChoiceMode.One => "auto",
    };

    /// <summary>The name of a tool that the request brings.</summary>
    public static string ReadKnown(Node name, List<Tool> tools) => tools.Exists(tool => tool.Name == name.Text())
        ? name.Text()
        : throw name.Wrong($"names the tool '{name.Text()}', which 'tools' does not hold");

    /// <summary>A function, or a tool that the client runs in its own format.</summary>
    /// <exception cref="Platform.Http.Failure">The name is taken.</exception>
    public static void Add(List<Tool> tools, Tool tool, Node place)
    {
        if (tools.Exists(other => other.Name == tool.Name))
        {
            throw place.Wrong($"repeats the tool name '{tool.Name}'", "duplicate_tool_name");
        }
        tools.Add(tool);
    }

    public static Dictionary<string, string> ReadMetadata(Node node)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in node.Members())
        {
            if (pair.Name.Length > 64)
            {
                throw node.Wrong("has a key of more than 64 characters");
            }
            pairs[pair.Name] = pair.Text(atMost: 512);
            if (pairs.Count > 16)
            {
                throw node.Wrong("may have at most 16 pairs");
            }
        }
        return pairs;
    }
}

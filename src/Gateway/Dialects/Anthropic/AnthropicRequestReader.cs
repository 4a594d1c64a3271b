using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>The body of <c>POST /v1/messages</c> and of <c>/v1/messages/count_tokens</c>.</summary>
internal sealed class AnthropicRequestReader(Node body, bool isNewer, ReadOptions options)
{
    private readonly List<ExtraField> extra = [];
    private readonly List<Tool> tools = [];
    private ChatRequest request = new() { Model = "", Source = Dialect.Anthropic };
    private Node? choice;
    private Effort? effort;

    public static ChatRequest Read(ReadOnlyMemory<byte> body, bool isNewer, ReadOptions options)
    {
        using var document = JsonBody.Open(body);
        return new AnthropicRequestReader(new Node(document.RootElement), isNewer, options).Read();
    }

    internal static CacheHint? CacheOf(Node holder) =>
        holder.Get("cache_control") is { } control ? new(control.Get("ttl")?.Text()) : null;

    private ChatRequest Read()
    {
        foreach (var field in body.Given())
        {
            ReadField(field);
        }
        if (request.Model.Length == 0)
        {
            throw body.Missing("model");
        }
        if (request.MaxOutput is null && !options.CountOnly)
        {
            throw body.Missing("max_tokens");
        }
        return request with
        {
            Turns = new AnthropicMessageReader(isNewer, options).Read(body.Need("messages")),
            Tools = tools,
            ToolChoice = choice is null ? null : ReadChoice(choice),
            Parallel = choice?.Get("disable_parallel_tool_use")?.Flag() is { } disabled ? !disabled : null,
            Reasoning = effort is null ? request.Reasoning
            : (request.Reasoning ?? new()) with { Effort = request.Reasoning?.Effort ?? effort },
            Extra = extra,
        };
    }

    private void ReadField(Node field)
    {
        switch (field.Name)
        {
            case "messages":
                break;
            case "model":
                request = request with { Model = field.Text(atMost: 512) };
                break;
            case "max_tokens":
                request = request with { MaxOutput = field.Integer(1) };
                break;
            case "system":
                request = request with { System = field.IsText ? [new(field.Text())] : field.Items().ConvertAll(ReadSystem) };
                break;

            // The newer API has no sampling; what old clients still send there is ignored.
            case "temperature" or "top_p" or "top_k" when isNewer:
                break;
            case "temperature":
                request = request with { Sampling = request.Sampling with { Temperature = field.Number(0, 1) } };
                break;
            case "top_p":
                request = request with { Sampling = request.Sampling with { TopP = field.Number(0, 1) } };
                break;
            case "top_k":
                request = request with { Sampling = request.Sampling with { TopK = field.Integer(0) } };
                break;
            case "stop_sequences":
                request = request with { Stop = field.Items().ConvertAll(item => item.Text()) };
                break;
            case "stream":
                request = request with { Stream = field.Flag() };
                break;
            case "tools":
                field.Items().ForEach(ReadTool);
                break;
            case "tool_choice":
                choice = field;
                break;
            case "thinking":
                request = request with { Reasoning = ReadThinking(field) };
                break;
            case "output_config":
                effort = field.Get("effort") is { } level ? ReadEffort(level) : null;
                request = request with { Format = field.Get("format") is { } format ? ReadFormat(format) : null };
                break;
            case "metadata":
                request = request with { UserId = field.Get("user_id")?.Text(atMost: 512) };
                break;
            case "service_tier":
                request = request with
                {
                    ServiceTier = field.Text() is "auto" or "standard_only"
                    ? field.Text() : throw field.NotOneOf("'auto', 'standard_only'"),
                };
                break;
            default:
                extra.Add(new(field.Name, field.Element.Clone()));
                break;
        }
    }

    private static SystemBlock ReadSystem(Node block)
    {
        var type = block.Need("type");
        return type.Text() == "text" ? new(block.Need("text").Text(), CacheOf(block)) : throw type.NotOneOf("'text'");
    }

    private void ReadTool(Node tool)
    {
        var name = tool.Need("name");
        if (!ToolNames.IsValid(name.Text(), ToolNames.AnthropicLimit))
        {
            throw name.Wrong($"must be 1 to {ToolNames.AnthropicLimit} letters, digits, '_' or '-'");
        }
        if (tools.Exists(other => other.Name == name.Text()))
        {
            throw name.Wrong($"repeats the tool name '{name.Text()}'", "duplicate_tool_name");
        }
        if (tool.Get("type")?.Text() is not (null or "custom"))
        {
            tools.Add(new(name.Text()) { Native = tool.Object(), Cache = CacheOf(tool) });
            return;
        }
        tools.Add(new(name.Text(), tool.Get("description")?.Text(), tool.Need("input_schema").Object(), tool.Get("strict")?.Flag())
        {
            Cache = CacheOf(tool),
        });
    }

    private ToolChoice ReadChoice(Node node)
    {
        var type = node.Need("type");
        switch (type.Text())
        {
            case "auto":
                return new(ToolChoiceMode.Auto);
            case "any":
                return new(ToolChoiceMode.Required);
            case "none":
                return new(ToolChoiceMode.None);
            case "tool":
                var name = node.Need("name");
                return tools.Exists(tool => tool.Name == name.Text())
                    ? new(ToolChoiceMode.One, name.Text())
                    : throw name.Wrong($"names the tool '{name.Text()}', which 'tools' does not hold");
            default:
                throw type.NotOneOf("'auto', 'any', 'tool', 'none'");
        }
    }

    private static Reasoning ReadThinking(Node thinking)
    {
        var type = thinking.Need("type");
        var display = thinking.Get("display")?.Text();
        return type.Text() switch
        {
            "disabled" => new(Effort.None),
            "enabled" => new(Budget: thinking.Need("budget_tokens").Integer(1024), Mode: "enabled", Display: display),
            "adaptive" or "between_tools" => new(Mode: type.Text(), Display: display),
            _ => throw type.NotOneOf("'enabled', 'disabled', 'adaptive', 'between_tools'"),
        };
    }

    private static Effort ReadEffort(Node level) => level.Text() switch
    {
        "low" => Effort.Low,
        "medium" => Effort.Medium,
        "high" => Effort.High,
        "xhigh" => Effort.ExtraHigh,
        "max" => Effort.Max,
        _ => throw level.NotOneOf("'low', 'medium', 'high', 'xhigh', 'max'"),
    };

    private static AnswerFormat ReadFormat(Node format)
    {
        var type = format.Need("type");
        return type.Text() == "json_schema" ? new(format.Need("schema").Object()) : throw type.NotOneOf("'json_schema'");
    }
}

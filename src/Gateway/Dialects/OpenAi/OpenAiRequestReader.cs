using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The body of <c>POST /v1/chat/completions</c>.</summary>
internal sealed class OpenAiRequestReader(Node body, ReadOptions options)
{
    private readonly List<ExtraField> extra = [];
    private readonly List<Tool> tools = [];
    private ChatRequest request = new() { Model = "", Source = Dialect.OpenAi };
    private int? oldMaxTokens;
    private string? safetyIdentifier;
    private Node? choice;

    public static ChatRequest Read(ReadOnlyMemory<byte> body, ReadOptions options)
    {
        using var document = JsonBody.Open(body);
        return new OpenAiRequestReader(new Node(document.RootElement), options).Read();
    }

    private ChatRequest Read()
    {
        // A field that is null counts as absent.
        foreach (var field in body.Members().Where(field => field.Element.ValueKind != JsonValueKind.Null))
        {
            ReadField(field);
        }

        if (request.Model.Length == 0)
        {
            throw body.Missing("model");
        }
        if (request.TopLogprobs is not null && !request.Logprobs)
        {
            throw body.Need("top_logprobs").Wrong("needs 'logprobs' to be true");
        }
        var conversation = new OpenAiMessageReader(options).Read(body.Need("messages"));
        return request with
        {
            System = conversation.System,
            Turns = conversation.Turns,
            Tools = tools,
            ToolChoice = choice is null ? null : ReadChoice(choice),
            MaxOutput = request.MaxOutput ?? oldMaxTokens,
            UserId = safetyIdentifier ?? request.UserId,
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
            case "temperature":
                request = request with { Sampling = request.Sampling with { Temperature = field.Number(0, 2) } };
                break;
            case "top_p":
                request = request with { Sampling = request.Sampling with { TopP = field.Number(0, 1) } };
                break;
            case "frequency_penalty":
                request = request with { Sampling = request.Sampling with { FrequencyPenalty = field.Number(-2, 2) } };
                break;
            case "presence_penalty":
                request = request with { Sampling = request.Sampling with { PresencePenalty = field.Number(-2, 2) } };
                break;
            case "stop":
                request = request with { Stop = field.IsText ? [field.Text()] : [.. field.Items(atMost: 4).Select(item => item.Text())] };
                break;
            case "n":
                request = request with { N = field.Integer(1, 128) };
                break;
            case "seed":
                request = request with { Seed = field.Long() };
                break;
            case "max_completion_tokens":
                request = request with { MaxOutput = field.Integer(1) };
                break;
            case "max_tokens":
                oldMaxTokens = field.Integer(1);
                break;
            case "stream":
                request = request with { Stream = field.Flag() };
                break;
            case "stream_options":
                request = request with { IncludeUsage = field.Get("include_usage")?.Flag() ?? false };
                break;
            case "tools":
                field.Items().ForEach(ReadTool);
                break;
            case "functions":
                request = request with { LegacyFunctions = true };
                field.Items().ForEach(ReadFunction);
                break;
            case "tool_choice" or "function_call":
                choice = field;
                break;
            case "parallel_tool_calls":
                request = request with { Parallel = field.Flag() };
                break;
            case "response_format":
                request = request with { Format = ReadFormat(field) };
                break;
            case "reasoning_effort":
                request = request with { Reasoning = new(ReadEffort(field)) };
                break;
            case "logprobs":
                request = request with { Logprobs = field.Flag() };
                break;
            case "top_logprobs":
                request = request with { TopLogprobs = field.Integer(0, 20) };
                break;
            case "user":
                request = request with { UserId = field.Text() };
                break;
            case "safety_identifier":
                safetyIdentifier = field.Text();
                break;
            case "metadata":
                request = request with { Metadata = ReadMetadata(field) };
                break;
            case "service_tier":
                request = request with { ServiceTier = field.Text() };
                break;
            default:
                extra.Add(new(field.Name, field.Element.Clone()));
                break;
        }
    }

    private void ReadTool(Node tool)
    {
        switch (tool.Need("type").Text())
        {
            case "function":
                ReadFunction(tool.Need("function"));
                break;
            case "custom":
                Add(new(ReadName(tool.Need("custom"))) { Native = tool.Object() }, tool);
                break;
            default:
                throw tool.Need("type").NotOneOf("'function', 'custom'");
        }
    }

    private void ReadFunction(Node function) => Add(
        new(
            ReadName(function),
            function.Get("description")?.Text(),
            function.Get("parameters")?.Object(),
            function.Get("strict")?.Flag()),
        function);

    private void Add(Tool tool, Node place)
    {
        if (tools.Exists(other => other.Name == tool.Name))
        {
            throw place.Wrong($"repeats the tool name '{tool.Name}'", "duplicate_tool_name");
        }
        tools.Add(tool);
    }

    private static string ReadName(Node holder)
    {
        var name = holder.Need("name");
        return ToolNames.IsValid(name.Text(), ToolNames.OpenAiLimit)
            ? name.Text()
            : throw name.Wrong($"must be 1 to {ToolNames.OpenAiLimit} letters, digits, '_' or '-'");
    }

    private ToolChoice ReadChoice(Node node)
    {
        if (node.IsText)
        {
            return node.Text() switch
            {
                "auto" => new(ToolChoiceMode.Auto),
                "none" => new(ToolChoiceMode.None),
                "required" => new(ToolChoiceMode.Required),
                _ => throw node.NotOneOf("'none', 'auto', 'required'"),
            };
        }
        if (node.Name == "function_call")
        {
            return One(node);
        }
        var type = node.Need("type");
        return type.Text() switch
        {
            "function" => One(node.Need("function")),
            "custom" => One(node.Need("custom")),
            "allowed_tools" => Subset(node.Need("allowed_tools")),
            _ => throw type.NotOneOf("'function', 'custom', 'allowed_tools'"),
        };
    }

    private ToolChoice One(Node holder)
    {
        var name = holder.Need("name");
        return new(ToolChoiceMode.One, Known(name));
    }

    private ToolChoice Subset(Node allowed)
    {
        var mode = allowed.Need("mode");
        var names = allowed.Need("tools").Items(atLeast: 1).ConvertAll(item =>
            Known((item.Get("function") ?? item.Get("custom") ?? item).Need("name")));
        return mode.Text() switch
        {
            "auto" => new(ToolChoiceMode.Auto, Allowed: names),
            "required" => new(ToolChoiceMode.Required, Allowed: names),
            _ => throw mode.NotOneOf("'auto', 'required'"),
        };
    }

    private string Known(Node name) => tools.Exists(tool => tool.Name == name.Text())
        ? name.Text()
        : throw name.Wrong($"names the tool '{name.Text()}', which 'tools' does not hold");

    private static AnswerFormat? ReadFormat(Node format)
    {
        var type = format.Need("type");
        switch (type.Text())
        {
            case "text":
                return null;
            case "json_object":
                return new AnswerFormat(null);
            case "json_schema":
                var schema = format.Need("json_schema");
                return new AnswerFormat(
                    schema.Need("schema").Object(),
                    schema.Get("name")?.Text(),
                    schema.Get("description")?.Text(),
                    schema.Get("strict")?.Flag());
            default:
                throw type.NotOneOf("'text', 'json_object', 'json_schema'");
        }
    }

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

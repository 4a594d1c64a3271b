using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The body of <c>POST /v1/chat/completions</c>.</summary>
internal sealed class OpenAiRequestReader(Node body, ReadOptions options)
{
    private readonly List<ExtraField> extra = [];
    private readonly List<Tool> tools = [];
    private ChatRequest request = new() { Model = "", Source = Dialect.OpenAi };
    private int? oldMaxTokens;
    private Node? choice;

    public static ChatRequest Read(ReadOnlyMemory<byte> body, ReadOptions options)
    {
        using var document = JsonBody.Open(body);
        return new OpenAiRequestReader(new Node(document.RootElement), options).Read();
    }

    private ChatRequest Read()
    {
        foreach (var field in body.Given())
        {
            if (OpenAiFields.Read(request, field) is { } read)
            {
                request = read;
            }
            else
            {
                ReadOwn(field);
            }
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
            Extra = extra,
        };
    }

    private void ReadOwn(Node field)
    {
        switch (field.Name)
        {
            case "messages":
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
            case "response_format":
                request = request with { Format = ReadFormat(field) };
                break;
            case "reasoning_effort":
                request = request with { Reasoning = new(OpenAiFields.ReadEffort(field)) };
                break;
            case "logprobs":
                request = request with { Logprobs = field.Flag() };
                break;
            case "top_logprobs":
                request = request with { TopLogprobs = field.Integer(0, 20) };
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
                OpenAiFields.Add(tools, new(ReadName(tool.Need("custom"))) { Native = tool.Object() }, tool);
                break;
            default:
                throw tool.Need("type").NotOneOf("'function', 'custom'");
        }
    }

    private void ReadFunction(Node function) => OpenAiFields.Add(
        tools,
        new(
            ReadName(function),
            function.Get("description")?.Text(),
            function.Get("parameters")?.Object(),
            function.Get("strict")?.Flag()),
        function);

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
            return OpenAiFields.ReadChoiceWord(node);
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

    private ToolChoice One(Node holder) => new(ToolChoiceMode.One, OpenAiFields.ReadKnown(holder.Need("name"), tools));

    private ToolChoice Subset(Node allowed) => OpenAiFields.Subset(
        allowed.Need("mode"),
        allowed.Need("tools").Items(atLeast: 1).ConvertAll(item =>
            OpenAiFields.ReadKnown((item.Get("function") ?? item.Get("custom") ?? item).Need("name"), tools)));

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
}

using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>The body of <c>POST /v1/responses</c>. What refers to an earlier response must have been put in its place before.</summary>
internal sealed class ResponsesRequestReader(Node body, ReadOptions options)
{
    private readonly List<ExtraField> extra = [];
    private readonly List<ExtraField> echo = [];
    private readonly List<Tool> tools = [];
    private ChatRequest request = new() { Model = "", Source = Dialect.OpenAiResponses };
    private SystemBlock? instructions;

    public static ChatRequest Read(ReadOnlyMemory<byte> body, ReadOptions options)
    {
        using var document = JsonBody.Open(body);
        return new ResponsesRequestReader(new Node(document.RootElement), options).Read();
    }

    private ChatRequest Read()
    {
        foreach (var field in body.Given())
        {
            if (ResponsesObject.Echoes(field.Name))
            {
                echo.Add(new(field.Name, field.Element.Clone()));
            }
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
        var choice = body.Get("tool_choice");
        var (system, turns) = new ResponsesItemReader(options).Read(body.Need("input"));
        return request with
        {
            System = instructions is null ? system : [instructions, .. system],
            Turns = turns,
            Tools = tools,
            ToolChoice = choice is null ? null : ResponsesTools.ReadChoice(choice, tools),
            Extra = extra,
            Echo = echo,
        };
    }

    private void ReadOwn(Node field)
    {
        switch (field.Name)
        {
            case "input" or "tool_choice" or "background" or "store" or "previous_response_id":
                break;
            case "instructions":
                instructions = new(field.Text());
                break;
            case "max_output_tokens":
                request = request with { MaxOutput = field.Integer(1) };
                break;
            case "top_logprobs":
                request = request with { TopLogprobs = field.Integer(0, 20), Logprobs = field.Integer(0, 20) > 0 };
                break;
            case "tools":
                field.Items().ForEach(tool => ResponsesTools.Read(tool, tools));
                break;
            case "text":
                request = request with { Format = field.Get("format") is { } format ? ReadFormat(format) : null };
                break;
            case "reasoning":
                request = request with { Reasoning = field.Get("effort") is { } effort ? new(OpenAiFields.ReadEffort(effort)) : null };
                break;
            case "conversation" or "prompt":
                throw field.Wrong("cannot be used here: what it names is kept by OpenAI", "unsupported_parameter");
            default:
                extra.Add(new(field.Name, field.Element.Clone()));
                break;
        }
    }

    private static AnswerFormat? ReadFormat(Node format)
    {
        var type = format.Need("type");
        return type.Text() switch
        {
            "text" => null,
            "json_object" => new AnswerFormat(null),
            "json_schema" => new AnswerFormat(
                format.Need("schema").Object(), format.Get("name")?.Text(),
                format.Get("description")?.Text(), format.Get("strict")?.Flag()),
            _ => throw type.NotOneOf("'text', 'json_object', 'json_schema'"),
        };
    }
}

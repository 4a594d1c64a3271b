using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>The <c>input</c> of a response: a text, or items. Items that an assistant made one after the other are one turn.</summary>
internal sealed class ResponsesItemReader
{
    private const int MaxItems = 10_000;

    private readonly List<SystemBlock> system = [];
    private readonly List<Turn> turns = [];
    private readonly ToolPairing pairing;
    private List<Part> spoken = [];
    private int images;

    public ResponsesItemReader(ReadOptions options) => pairing = new(turns, options.Repair);

    public (IReadOnlyList<SystemBlock> System, IReadOnlyList<Turn> Turns) Read(Node input)
    {
        if (input.IsText)
        {
            return ([], [new(TurnRole.User, [new Part.Text(input.Text())])]);
        }
        foreach (var item in input.Items(atLeast: 1, atMost: MaxItems))
        {
            ReadItem(item);
        }
        Listen(input);
        pairing.Settle("input");
        return (system, turns);
    }

    private void ReadItem(Node item)
    {
        var type = item.Get("type")?.Text() ?? "message";
        switch (type)
        {
            case "message":
                ReadMessage(item);
                break;
            case "function_call":
                Speak([new Part.ToolCall(IdOf(item), item.Need("name").Text(), item.Get("arguments")?.Text() ?? "")]);
                break;
            case "custom_tool_call":
                Speak([new Part.ToolCall(IdOf(item), item.Need("name").Text(), item.Need("input").Text()) { Custom = true }]);
                break;
            case "function_call_output" or "custom_tool_call_output":
                Listen(item);
                pairing.Answered(new(IdOf(item), ReadContent(item.Need("output"))), item);
                break;
            case "reasoning":
                Speak([ResponsesThoughts.Read(item)]);
                break;
            case "item_reference":
                throw item.Wrong("names an item that is not kept here; send the item itself", "unsupported_parameter");
            default:
                Speak([new Part.Foreign(Dialect.OpenAiResponses, type, item.Object())]);
                break;
        }
    }

    private void ReadMessage(Node item)
    {
        var role = item.Need("role");
        var parts = ReadContent(item.Need("content"));
        switch (role.Text())
        {
            case "user":
                Begin(item);
                turns.Add(new(TurnRole.User, parts));
                break;
            case "assistant":
                Speak(parts);
                break;
            case "system" or "developer":
                ReadSystem(item, parts);
                break;
            default:
                throw role.NotOneOf("'user', 'assistant', 'system', 'developer'");
        }
    }

    private void ReadSystem(Node item, List<Part> parts)
    {
        Begin(item);
        if (parts.Exists(part => part is not Part.Text))
        {
            throw item.Need("content").Wrong("may hold nothing but text for this role");
        }
        if (turns.Count == 0)
        {
            system.AddRange(parts.Cast<Part.Text>().Select(part => new SystemBlock(part.Value)));
        }
        else
        {
            turns.Add(new(TurnRole.System, parts));
        }
    }

    private static string IdOf(Node item)
    {
        var id = item.Need("call_id");
        return id.Text().Length > 0 ? id.Text() : throw id.Wrong("must not be empty");
    }

    /// <summary>The assistant goes on, or begins after the results of its last turn.</summary>
    private void Speak(IReadOnlyList<Part> parts)
    {
        if (spoken.Count == 0)
        {
            pairing.Settle("input");
        }
        spoken.AddRange(parts);
    }

    /// <summary>The assistant's turn is over.</summary>
    private void Listen(Node place)
    {
        if (spoken.Count > 0)
        {
            pairing.Called(spoken, place);
            turns.Add(new(TurnRole.Assistant, spoken));
            spoken = [];
        }
    }

    private void Begin(Node place)
    {
        Listen(place);
        pairing.Settle("input");
    }

    private List<Part> ReadContent(Node content) =>
        content.IsText ? [new Part.Text(content.Text())] : content.Items().ConvertAll(ReadPart);

    private Part ReadPart(Node part)
    {
        var type = part.Need("type");
        switch (type.Text())
        {
            case "input_text" or "output_text" or "text":
                return new Part.Text(part.Need("text").Text());
            case "refusal":
                return new Part.Refusal(part.Need("refusal").Text());
            case "input_image":
                return ReadImage(part);
            case "input_file":
                return ReadFile(part);
            default:
                throw type.NotOneOf("'input_text', 'input_image', 'input_file', 'output_text', 'refusal'");
        }
    }

    private Part.Image ReadImage(Node image)
    {
        if (++images > MediaReading.MaxImages)
        {
            throw image.Wrong($"is one image too many; at most {MediaReading.MaxImages} are allowed");
        }
        var detail = image.Get("detail")?.Text();
        return image.Get("file_id") is { } id
            ? new(new Media.Stored(id.Text(), Dialect.OpenAi), detail)
            : new(MediaReading.ImageFrom(image.Need("image_url")), detail);
    }

    private static Part.File ReadFile(Node file)
    {
        var name = file.Get("filename")?.Text();
        if (file.Get("file_id") is { } id)
        {
            return new(new Media.Stored(id.Text(), Dialect.OpenAi), name);
        }
        if (file.Get("file_url") is { } url)
        {
            return new(MediaReading.FromAddress(url), name);
        }
        var data = file.Need("file_data");
        var bytes = MediaReading.FromDataUri(data, data.Text());
        return new(MediaReading.IsText(bytes.MimeType) ? new Media.PlainText(MediaReading.DecodeText(bytes)) : bytes, name);
    }
}

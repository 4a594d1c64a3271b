using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The <c>messages</c> of a chat completion request.</summary>
internal sealed class OpenAiMessageReader
{
    private const int MaxMessages = 10_000;

    private readonly List<SystemBlock> system = [];
    private readonly List<Turn> turns = [];
    private readonly ToolPairing pairing;

    // Calls of the deprecated functions have no ids; the n-th answer to a name belongs to the n-th call of it.
    private readonly List<Part.ToolCall> unnamed = [];
    private int images;

    public OpenAiMessageReader(ReadOptions options) => pairing = new(turns, options.Repair);

    public (IReadOnlyList<SystemBlock> System, IReadOnlyList<Turn> Turns) Read(Node messages)
    {
        foreach (var message in messages.Items(atLeast: 1, atMost: MaxMessages))
        {
            var role = message.Need("role");
            if (role.Text() is not ("tool" or "function"))
            {
                pairing.Settle("messages");
            }
            switch (role.Text())
            {
                case "system" or "developer":
                    ReadSystem(message);
                    break;
                case "user":
                    turns.Add(new(TurnRole.User, ReadContent(message.Need("content")), message.Get("name")?.Text()));
                    break;
                case "assistant":
                    ReadAssistant(message);
                    break;
                case "tool":
                    pairing.Answered(new(message.Need("tool_call_id").Text(), ReadContent(message.Need("content"))), message);
                    break;
                case "function":
                    ReadFunctionResult(message);
                    break;
                default:
                    throw role.NotOneOf("'developer', 'system', 'user', 'assistant', 'tool', 'function'");
            }
        }
        pairing.Settle("messages");
        return (system, turns);
    }

    private void ReadSystem(Node message)
    {
        var content = message.Need("content");
        var texts = content.IsText ? [content.Text()] : content.Items().ConvertAll(TextOf);
        if (turns.Count == 0)
        {
            system.AddRange(texts.Select(text => new SystemBlock(text)));
        }
        else
        {
            turns.Add(new(TurnRole.System, texts.ConvertAll(text => (Part)new Part.Text(text)), message.Get("name")?.Text()));
        }
    }

    private void ReadAssistant(Node message)
    {
        var parts = new List<Part>();
        OpenAiReasoning.Read(message, parts);
        if (message.Get("content") is { } content)
        {
            parts.AddRange(ReadContent(content));
        }
        if (message.Get("refusal") is { } refusal)
        {
            parts.Add(new Part.Refusal(refusal.Text()));
        }
        if (message.Get("audio") is { } audio)
        {
            parts.Add(new Part.Foreign(Dialect.OpenAi, "audio", audio.Object()));
        }
        if (message.Get("tool_calls") is { } calls)
        {
            parts.AddRange(calls.Items().Select(ReadCall));
        }
        if (message.Get("function_call") is { } function)
        {
            var call = ReadFunction(function, ToolNames.MakeId(turns.Count, 0, function.Need("name").Text(), ""));
            unnamed.Add(call);
            parts.Add(call);
        }
        pairing.Called(parts, message);
        turns.Add(new(TurnRole.Assistant, parts, message.Get("name")?.Text()));
    }

    private static Part.ToolCall ReadCall(Node call)
    {
        var id = call.Need("id");
        if (id.Text().Length == 0)
        {
            throw id.Wrong("must not be empty");
        }
        if (call.Get("type")?.Text() is "custom")
        {
            var custom = call.Need("custom");
            return new(id.Text(), custom.Need("name").Text(), custom.Need("input").Text()) { Custom = true };
        }
        return ReadFunction(call.Need("function"), id.Text()) with { Signature = OpenAiReasoning.ReadSignature(call) };
    }

    // Some frameworks send the arguments as an object, though the dialect says text.
    private static Part.ToolCall ReadFunction(Node function, string id)
    {
        var arguments = function.Get("arguments");
        return new(id, function.Need("name").Text(), arguments switch
        {
            null => "",
            { IsObject: true } => JsonOutput.Compact(arguments.Element),
            _ => arguments.Text(),
        });
    }

    private void ReadFunctionResult(Node message)
    {
        var name = message.Need("name");
        var call = unnamed.Find(call => call.Name == name.Text())
            ?? throw name.Wrong($"answers the function '{name.Text()}', which was not called", "orphan_tool_result");
        unnamed.Remove(call);
        pairing.Answered(new(call.Id, message.Get("content") is { } content ? ReadContent(content) : []), message);
    }

    private List<Part> ReadContent(Node content) =>
        content.IsText ? [new Part.Text(content.Text())] : content.Items().ConvertAll(ReadPart);

    private Part ReadPart(Node part)
    {
        var type = part.Need("type");
        switch (type.Text())
        {
            case "text":
                return new Part.Text(part.Need("text").Text());
            case "refusal":
                return new Part.Refusal(part.Need("refusal").Text());
            case "image_url":
                return ReadImage(part.Need("image_url"));
            case "input_audio":
                var audio = part.Need("input_audio");
                var format = audio.Need("format");
                return new Part.Audio(
                    MediaReading.Base64(audio.Need("data"), audio.Need("data").Text()),
                    format.Text() is "wav" or "mp3" ? format.Text() : throw format.NotOneOf("'wav', 'mp3'"));
            case "file":
                return ReadFile(part.Need("file"));
            default:
                throw type.NotOneOf("'text', 'image_url', 'input_audio', 'file', 'refusal'");
        }
    }

    private Part.Image ReadImage(Node image)
    {
        if (++images > MediaReading.MaxImages)
        {
            throw image.Wrong($"is one image too many; at most {MediaReading.MaxImages} are allowed");
        }

        // Some clients send the address without its wrapper.
        if (image.IsText)
        {
            return new(MediaReading.ImageFrom(image));
        }
        var detail = image.Get("detail");
        return detail?.Text() is null or "auto" or "low" or "high"
            ? new(MediaReading.ImageFrom(image.Need("url")), detail?.Text())
            : throw detail.NotOneOf("'auto', 'low', 'high'");
    }

    private static Part.File ReadFile(Node file)
    {
        var name = file.Get("filename")?.Text();
        if (file.Get("file_id") is { } id)
        {
            return new(new Media.Stored(id.Text(), Dialect.OpenAi), name);
        }
        var data = file.Need("file_data");
        if (!data.Text().StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return new(MediaReading.FromAddress(data), name);
        }
        var bytes = MediaReading.FromDataUri(data, data.Text());
        return new(MediaReading.IsText(bytes.MimeType) ? new Media.PlainText(MediaReading.DecodeText(bytes)) : bytes, name);
    }

    private static string TextOf(Node part)
    {
        var type = part.Need("type");
        return type.Text() == "text" ? part.Need("text").Text() : throw type.NotOneOf("'text'");
    }
}

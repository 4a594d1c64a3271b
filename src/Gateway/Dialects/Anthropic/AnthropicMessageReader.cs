using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>The <c>messages</c> of a request.</summary>
internal sealed class AnthropicMessageReader
{
    private const int MaxMessages = 10_000;

    private readonly List<Turn> turns = [];
    private readonly ToolPairing pairing;
    private readonly bool isNewer;
    private int images;

    public AnthropicMessageReader(bool isNewer, ReadOptions options)
    {
        this.isNewer = isNewer;
        pairing = new(turns, options.Repair);
    }

    public IReadOnlyList<Turn> Read(Node messages)
    {
        foreach (var message in messages.Items(atLeast: 1, atMost: MaxMessages))
        {
            var role = message.Need("role");
            switch (role.Text())
            {
                case "user":
                    ReadUser(message);
                    break;
                case "assistant":
                    pairing.Settle("messages");
                    var parts = ReadContent(message.Need("content"), ReadAssistantBlock);
                    pairing.Called(parts, message);
                    turns.Add(new(TurnRole.Assistant, parts));
                    break;
                case "system" when isNewer:
                    pairing.Settle("messages");
                    turns.Add(new(TurnRole.System, ReadContent(message.Need("content"), ReadBlock)));
                    break;
                default:
                    throw role.NotOneOf(isNewer ? "'user', 'assistant', 'system'" : "'user', 'assistant'");
            }
        }
        pairing.Settle("messages");
        return turns;
    }

    private void ReadUser(Node message)
    {
        var parts = new List<Part>();
        foreach (var part in ReadContent(message.Need("content"), ReadUserBlock))
        {
            if (part is Part.ToolResult result)
            {
                pairing.Answered(result, message);
            }
            else
            {
                parts.Add(part);
            }
        }
        if (parts.Count > 0)
        {
            pairing.Settle("messages");
            turns.Add(new(TurnRole.User, parts));
        }
    }

    private static List<Part> ReadContent(Node content, Converter<Node, Part> read) =>
        content.IsText ? [new Part.Text(content.Text())] : content.Items().ConvertAll(read);

    private Part ReadUserBlock(Node block) => block.Need("type").Text() switch
    {
        "tool_result" => new Part.ToolResult(
            block.Need("tool_use_id").Text(),
            block.Get("content") is { } content ? ReadContent(content, ReadBlock) : [],
            block.Get("is_error")?.Flag() ?? false)
        {
            Cache = AnthropicRequestReader.CacheOf(block),
        },
        "tool_use" or "thinking" or "redacted_thinking" => throw block.Need("type").Wrong("may stand in an assistant message only"),
        _ => ReadBlock(block),
    };

    private Part ReadAssistantBlock(Node block)
    {
        switch (block.Need("type").Text())
        {
            case "tool_use":
                var id = block.Need("id");
                return new Part.ToolCall(
                    id.Text().Length > 0 ? id.Text() : throw id.Wrong("must not be empty"),
                    block.Need("name").Text(),
                    JsonOutput.Compact(block.Need("input").Object()))
                {
                    Cache = AnthropicRequestReader.CacheOf(block),
                };
            case "thinking":
                var (signature, signer) = ThoughtOrigin.Read(block.Get("signature")?.Text());
                return new Part.Thinking(block.Need("thinking").Text(), signature, null, signer);
            case "redacted_thinking":
                var (data, origin) = ThoughtOrigin.Read(block.Need("data").Text());
                return new Part.Thinking("", null, data, origin);
            case "tool_result":
                throw block.Need("type").Wrong("may stand in a user message only");
            default:
                return ReadBlock(block);
        }
    }

    private Part ReadBlock(Node block)
    {
        var type = block.Need("type").Text();
        Part part = type switch
        {
            "text" => new Part.Text(block.Need("text").Text()),
            "image" => ReadImage(block.Need("source")),
            "document" => new Part.File(ReadDocument(block.Need("source")), block.Get("title")?.Text()),
            _ => new Part.Foreign(Dialect.Anthropic, type, block.Object()),
        };
        return block.Get("cache_control") is null ? part : part with { Cache = AnthropicRequestReader.CacheOf(block) };
    }

    private Part.Image ReadImage(Node source)
    {
        if (++images > MediaReading.MaxImages)
        {
            throw source.Wrong($"is one image too many; at most {MediaReading.MaxImages} are allowed");
        }
        var type = source.Need("type");
        switch (type.Text())
        {
            case "base64":
                var mime = source.Need("media_type");
                if (mime.Text() is not ("image/jpeg" or "image/png" or "image/gif" or "image/webp"))
                {
                    throw mime.NotOneOf("'image/jpeg', 'image/png', 'image/gif', 'image/webp'");
                }
                var data = source.Need("data");
                return new(MediaReading.Image(new(mime.Text(), MediaReading.Base64(data, data.Text())), data));
            case "url":
                return new(MediaReading.FromAddress(source.Need("url")));
            case "file":
                return new(new Media.Stored(source.Need("file_id").Text(), Dialect.Anthropic));
            default:
                throw type.NotOneOf("'base64', 'url', 'file'");
        }
    }

    private static Media ReadDocument(Node source)
    {
        var type = source.Need("type");
        switch (type.Text())
        {
            case "base64":
                var data = source.Need("data");
                return new Media.Bytes(source.Need("media_type").Text(), MediaReading.Base64(data, data.Text()));
            case "text":
                return new Media.PlainText(source.Need("data").Text());
            case "url":
                return MediaReading.FromAddress(source.Need("url"));
            case "file":
                return new Media.Stored(source.Need("file_id").Text(), Dialect.Anthropic);
            case "content":
                var content = source.Need("content");
                return new Media.PlainText(content.IsText
                    ? content.Text()
                    : string.Join("\n\n", content.Items().Select(item => item.Get("text")?.Text())));
            default:
                throw type.NotOneOf("'base64', 'text', 'url', 'file', 'content'");
        }
    }
}

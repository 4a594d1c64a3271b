using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>The chat request of GTWY's wire, by the names its fields have in either generation.</summary>
internal sealed class RunInput(JsonObject body)
{
    /// <summary>The code of a request whose fields are of the wrong type.</summary>
    public const string WrongField = "wrong_field";

    private static readonly string[] NameFields =
        ["thread_id", "sub_thread_id", "bridge_id", "agent_id", "version_id", "environment", "service"];

    private static readonly string[] TextFields =
        ["user", "thread_id", "sub_thread_id", "bridge_id", "agent_id", "version_id",
            "environment", "service", "apikey", "user_reference", "youtube_url", "wrapper_id"];

    private static readonly string[] ObjectFields =
        ["configuration", "variables", "variables_path", "settings", "guardrails", "testcase_data", "video_data"];

    private static readonly string[] ListFields = ["images", "files", "user_urls", "extra_tools", "built_in_tools"];

    public JsonObject Body => body;

    public string User => body.Text("user") ?? "";

    public JsonObject? Configuration { get; } = body.Object("configuration");

    public string? AgentId { get; } = body.Name("bridge_id") ?? body.Name("agent_id");

    public string? ThreadId { get; } = body.Name("thread_id");

    public string? SubThreadId { get; } = body.Name("sub_thread_id");

    public bool IsStream => body.Is("stream") || body.Is("is_stream") || Configuration.Is("stream");

    public bool MayRunInParallel => body.Is("parallel");

    /// <summary>How the answer is to be delivered; null means as stored.</summary>
    public JsonObject? Delivery => Configuration.Object("response_format") ?? body.Object("settings").Object("response_format");

    public IReadOnlyList<string> Images { get; } = [.. body.List("images").Texts(), .. UrlsOf(body, "image")];

    public IReadOnlyList<string> Files { get; } = [.. body.List("files").Texts(), .. UrlsOf(body, "pdf"), .. UrlsOf(body, "file")];

    /// <summary>Recordings of speech or sound: addresses or data URIs.</summary>
    public IReadOnlyList<string> Audios { get; } = [.. UrlsOf(body, "audio")];

    public IReadOnlyList<string> Videos { get; } = [.. UrlsOf(body, "video")];

    /// <summary>A video that Gemini keeps, as its upload was answered.</summary>
    public JsonObject? VideoFile => body.Object("video_data");

    public string? YouTube => body.Name("youtube_url");

    public bool HasAttachments =>
        body.List("images") is { Count: > 0 } || body.List("files") is { Count: > 0 } || body.List("user_urls") is { Count: > 0 }
        || body["video_data"] is JsonObject || body.Name("youtube_url") is not null
        || body["text"] is not null || body.List("batch") is { Count: > 0 };

    /// <exception cref="Failure">The request cannot be run, whatever the agent says.</exception>
    public void Check()
    {
        var wrong = new List<FieldError>();
        AddWrong(wrong, TextFields, JsonValueKind.String, "Input should be a valid string");
        AddWrong(wrong, ObjectFields, JsonValueKind.Object, "Input should be a valid dictionary");
        AddWrong(wrong, ListFields, JsonValueKind.Array, "Input should be a valid list");
        foreach (var name in NameFields)
        {
            if (body.Text(name) is { } text && !ThreadKey.IsName(text))
            {
                wrong.Add(new(name, $"String should have at most {ThreadKey.MaxBytes} bytes"));
            }
        }
        if (wrong is [var first, ..])
        {
            throw new Failure(FailureKind.Invalid, WrongField, $"{first.Field}: {first.Message}", wrong);
        }
        if (User.Length == 0 && !HasAttachments)
        {
            throw Failure.Invalid("User message is compulsory", code: "user_message_missing");
        }
    }

    private void AddWrong(List<FieldError> wrong, string[] names, JsonValueKind kind, string message)
    {
        foreach (var name in names)
        {
            if (body[name] is { } value && value.GetValueKind() != kind)
            {
                wrong.Add(new(name, message));
            }
        }
    }

    private static IEnumerable<string> UrlsOf(JsonObject body, string type) => body.List("user_urls") is not { } urls ? []
        : urls.Objects().Where(item => item.Text("type") == type).Select(item => item.Name("url")).OfType<string>();
}

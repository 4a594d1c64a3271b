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

    private static readonly string[] NameFields = ["thread_id", "sub_thread_id", "bridge_id", "agent_id", "version_id", "environment", "service"];

    private static readonly string[] TextFields =
        ["user", "thread_id", "sub_thread_id", "bridge_id", "agent_id", "version_id", "environment", "service", "apikey", "user_reference", "youtube_url", "wrapper_id"];

    private static readonly string[] ObjectFields = ["configuration", "variables", "variables_path", "settings", "guardrails", "testcase_data", "video_data"];

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

    public IEnumerable<string> Images => body.List("images").Texts().Concat(UrlsOf("image"));

    public IEnumerable<string> Files => body.List("files").Texts().Concat(UrlsOf("pdf")).Concat(UrlsOf("file"));

    /// <summary>Recordings of speech or sound: addresses or data URIs.</summary>
    public IReadOnlyList<string> Audios { get; } = [.. UrlsOf(body, "audio")];

    public IEnumerable<string> Videos => UrlsOf("video");

    /// <summary>A video that Gemini keeps, as its upload was answered.</summary>
    public JsonObject? VideoFile => body.Object("video_data");

    public string? YouTube => body.Name("youtube_url");

    public bool HasAttachments =>
        body.List("images") is { Count: > 0 } || body.List("files") is { Count: > 0 } || body.List("user_urls") is { Count: > 0 }
        || body["video_data"] is JsonObject || body.Name("youtube_url") is not null || body["text"] is not null || body.List("batch") is { Count: > 0 };

    /// <exception cref="Failure">The request cannot be run, whatever the agent says.</exception>
    public void Check()
    {
        if (WrongFields().ToList() is [var first, ..] wrong)
        {
            throw new Failure(FailureKind.Invalid, WrongField, $"{first.Field}: {first.Message}", wrong);
        }
        if (User.Length == 0 && !HasAttachments)
        {
            throw Failure.Invalid("User message is compulsory", code: "user_message_missing");
        }
    }

    private IEnumerable<FieldError> WrongFields() =>
        Wrong(TextFields, JsonValueKind.String, "Input should be a valid string")
            .Concat(Wrong(ObjectFields, JsonValueKind.Object, "Input should be a valid dictionary"))
            .Concat(Wrong(ListFields, JsonValueKind.Array, "Input should be a valid list"))
            .Concat(NameFields.Where(name => body.Text(name) is { } text && !ThreadKey.IsName(text))
                .Select(name => new FieldError(name, $"String should have at most {ThreadKey.MaxBytes} bytes")));

    private IEnumerable<FieldError> Wrong(IEnumerable<string> names, JsonValueKind kind, string message) =>
        names.Where(name => body[name] is { } value && value.GetValueKind() != kind).Select(name => new FieldError(name, message));

    private IEnumerable<string> UrlsOf(string type) => UrlsOf(body, type);

    private static IEnumerable<string> UrlsOf(JsonObject body, string type) =>
        body.List("user_urls").Objects().Where(item => item.Text("type") == type).Select(item => item.Name("url")).OfType<string>();
}

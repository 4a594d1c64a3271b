using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>A picture that is wanted of a model.</summary>
/// <param name="Parameters">By their names on the wire: <c>size</c>, <c>quality</c>, <c>style</c>, <c>aspect_ratio</c>,
/// <c>image_size</c>.</param>
internal sealed record ImageRequest(string Model, string Prompt, int Count, IReadOnlyDictionary<string, string> Parameters)
{
    public IReadOnlyList<Media.Bytes> Pictures { get; init; } = [];

    /// <summary>Without empty ones.</summary>
    public string? Parameter(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Parameters.TryGetValue(name, out var value) && value.Length > 0)
            {
                return value;
            }
        }
        return null;
    }
}

/// <param name="Address">Where the provider keeps it, for a while; null when it sent the bytes.</param>
/// <param name="Path">Where it is fetched with the same key, where the provider says that alone.</param>
internal sealed record MadeImage(string? Address, byte[]? Bytes, string? RevisedPrompt, string? Path = null);

internal sealed record ImageAnswer(string Id, IReadOnlyList<MadeImage> Images, TokenUsage Usage);

/// <summary>
/// Pictures on the wires of OpenAI (<c>POST /images/generations</c>), of ai.ml (<c>POST /v1/generation/images</c>, which says where each is
/// to be fetched) and of Gemini (<c>:predict</c> of Imagen's models, <c>:generateContent</c> of the others). Bytes in, records out.
/// </summary>
internal static class ImageModels
{
    private const string Imagen = "imagen-";

    /// <summary>Where Gemini's models are asked, below <c>/v1beta/models/{model}:</c>.</summary>
    public static string GeminiMethod(string model) => IsImagen(model) ? "predict" : "generateContent";

    /// <exception cref="Failure">Invalid: this model makes no pictures of pictures.</exception>
    public static void Write(ImageRequest request, Dialect dialect, IBufferWriter<byte> output)
    {
        if (request.Pictures.Count > 0 && (dialect != Dialect.Gemini || IsImagen(request.Model)))
        {
            throw Failure.Invalid("This model makes pictures of words alone", "images", "unsupported_media");
        }
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        if (dialect != Dialect.Gemini)
        {
            WriteOpenAi(request, json);
        }
        else if (IsImagen(request.Model))
        {
            WriteImagen(request, json);
        }
        else
        {
            WriteGemini(request, json);
        }
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    /// <exception cref="Failure">Upstream: it cannot be read. Invalid: the provider did not want to make one.</exception>
    public static ImageAnswer Read(ReadOnlyMemory<byte> body, Dialect dialect)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        var answer = dialect != Dialect.Gemini ? ReadOpenAi(root)
            : root.Member("predictions").ValueKind == JsonValueKind.Array ? ReadImagen(root)
            : ReadGemini(root);
        return answer.Images.Count > 0 ? answer
            : throw Failure.Invalid($"The provider made no picture{ReasonOf(root)}", code: "content_policy_violation");
    }

    private static bool IsImagen(string model) => model.StartsWith(Imagen, StringComparison.OrdinalIgnoreCase);

    private static void WriteOpenAi(ImageRequest request, Utf8JsonWriter json)
    {
        json.WriteString("model", request.Model);
        json.WriteString("prompt", request.Prompt);
        json.WriteNumber("n", request.Count);
        foreach (var (name, value) in request.Parameters.Where(parameter => parameter.Key is not ("aspect_ratio" or "image_size")
            && parameter.Value.Length > 0))
        {
            json.WriteString(name == "dimensions" ? "size" : name, value);
        }
    }

    private static void WriteImagen(ImageRequest request, Utf8JsonWriter json)
    {
        json.WriteStartArray("instances");
        json.WriteStartObject();
        json.WriteString("prompt", request.Prompt);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("parameters");
        json.WriteNumber("sampleCount", request.Count);
        WriteShape(request, json, "sampleImageSize");
        json.WriteEndObject();
    }

    private static void WriteGemini(ImageRequest request, Utf8JsonWriter json)
    {
        json.WriteStartArray("contents");
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteStartArray("parts");
        foreach (var picture in request.Pictures)
        {
            json.WriteStartObject();
            json.WriteStartObject("inlineData");
            json.WriteString("mimeType", picture.MimeType);
            json.WriteString("data", picture.Base64);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteStartObject();
        json.WriteString("text", request.Prompt);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("generationConfig");
        json.WriteStartArray("responseModalities");
        json.WriteStringValue("TEXT");
        json.WriteStringValue("IMAGE");
        json.WriteEndArray();
        if (request.Parameter("aspect_ratio", "image_size") is not null)
        {
            json.WriteStartObject("imageConfig");
            WriteShape(request, json, "imageSize");
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteShape(ImageRequest request, Utf8JsonWriter json, string sizeName)
    {
        if (request.Parameter("aspect_ratio") is { } ratio)
        {
            json.WriteString("aspectRatio", ratio);
        }
        if (request.Parameter("image_size") is { } size)
        {
            json.WriteString(sizeName, size);
        }
    }

    private static ImageAnswer ReadOpenAi(JsonElement root) => new(
        root.TextOf("id") ?? "",
        [.. root.ItemsOf("data").Concat(root.ItemsOf("images")).Select(OpenAiImage)
            .Where(image => image.Address is not null || image.Bytes is not null || image.Path is not null)],
        UsageOf(root.Member("usage"), "input_tokens", "output_tokens"));

    private static MadeImage OpenAiImage(JsonElement item)
    {
        var place = item.AsText() ?? item.TextOf("url") ?? item.TextOf("path");
        var isAddress = place?.Contains("://", StringComparison.Ordinal) == true;
        return new(isAddress ? place : null, BytesOf(item.Member("b64_json")),
            item.TextOf("revised_prompt"), isAddress ? null : PathOf(place));
    }

    /// <summary>The last part of a path that a provider gives, which nothing of ours is made of but an address of that provider.</summary>
    private static string? PathOf(string? place) =>
        place?.Split('/')[^1] is { Length: > 0 and <= 512 } name && name is not ("." or "..") ? name : null;

    private static ImageAnswer ReadImagen(JsonElement root) => new(
        "",
        [.. root.ItemsOf("predictions")
            .Select(item => new MadeImage(null, BytesOf(item.Member("bytesBase64Encoded")), item.TextOf("prompt")))
            .Where(image => image.Bytes is not null)],
        new(0, 0, Estimated: true));

    private static ImageAnswer ReadGemini(JsonElement root)
    {
        var parts = root.ItemsOf("candidates").SelectMany(candidate => candidate.Member("content").ItemsOf("parts")).ToList();
        var words = string.Concat(parts.Select(part => part.TextOf("text")));
        return new(
            root.TextOf("responseId") ?? "",
            [.. parts.Select(part => BytesOf(part.Member("inlineData").Member("data"))).OfType<byte[]>()
                .Select(bytes => new MadeImage(null, bytes, words.Length > 0 ? words : null))],
            UsageOf(root.Member("usageMetadata"), "promptTokenCount", "candidatesTokenCount"));
    }

    private static byte[]? BytesOf(JsonElement base64) =>
        base64.ValueKind == JsonValueKind.String && base64.TryGetBytesFromBase64(out var bytes) && bytes.Length > 0 ? bytes : null;

    private static TokenUsage UsageOf(JsonElement usage, string input, string output) => usage.ValueKind != JsonValueKind.Object
        ? new(0, 0, Estimated: true)
        : new(Count(usage.Member(input)), Count(usage.Member(output)));

    private static long Count(JsonElement number) =>
        number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var count) && count > 0 ? count : 0;

    private static string ReasonOf(JsonElement root) =>
        (root.Member("promptFeedback").TextOf("blockReason")
            ?? root.ItemsOf("candidates").Select(candidate => candidate.TextOf("finishReason")).FirstOrDefault())
            is { } reason ? $": {reason}" : "";
}

using System.Reflection;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Stoa.Learning.Wire;

/// <summary>
/// The body of a request as a handler takes it: read as leniently as the original reads it, and refused with 422 and everything that is
/// wrong with it. <typeparamref name="T"/> stands in a JSON context of the module.
/// </summary>
internal sealed class Body<T>(T value) : IEndpointParameterMetadataProvider
    where T : class
{
    public T Value => value;

    public static async ValueTask<Body<T>?> BindAsync(HttpContext context)
    {
        var bodies = context.RequestServices.GetRequiredService<Bodies>();
        return new(await bodies.ReadAsync<T>(context.Request, context.RequestAborted));
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T)));
}

internal sealed class Bodies(IOptions<JsonOptions> json)
{
    // A document with a name twice could not be gone through later. Looking for
    // one reads the names, of which half of a surrogate pair is an invalid operation.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonSerializerOptions lenient = Lenient(json.Value.SerializerOptions);

    /// <exception cref="Platform.Http.Failure">422.</exception>
    public async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken ct)
        where T : class
    {
        using var document = await ParseAsync(request, ct);
        return Read<T>(document.RootElement);
    }

    /// <inheritdoc cref="ReadAsync{T}"/>
    public T Read<T>(JsonElement body)
        where T : class
    {
        var errors = new WireErrors();
        new BodyCheck(lenient, errors).Check(body, typeof(T), ["body"]);
        errors.ThrowIfAny();
        return body.Deserialize(lenient.GetTypeInfo(typeof(T))) as T ?? throw WireErrors.Value("null is no body");
    }

    private static async Task<JsonDocument> ParseAsync(HttpRequest request, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes, ct);
        var errors = new WireErrors();
        if (bytes.Length == 0)
        {
            errors.Add("missing", ["body"], "Field required");
            throw errors.ToFailure();
        }
        var body = bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
        try
        {
            // The parser looks at texts only when they are read.
            return Utf8.IsValid(body.Span) ? JsonDocument.Parse(body, Strict) : throw new JsonException();
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            var offset = (int)((wrong as JsonException)?.BytePositionInLine ?? 0);
            errors.Add("json_invalid", ["body", offset], "JSON decode error", JsonElement.Parse("{}"),
                new() { ["error"] = "The body is not valid JSON" });
            throw errors.ToFailure();
        }
    }

    private static JsonSerializerOptions Lenient(JsonSerializerOptions usual)
    {
        var options = new JsonSerializerOptions(usual);
        LenientValues.AddTo(options.Converters);
        return options;
    }
}

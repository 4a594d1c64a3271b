using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Wire;

/// <summary>
/// What a route takes. Handlers take it as <see cref="Body{T}"/>, <see cref="Query{T}"/> or <see cref="Form{T}"/>; the API document shows
/// what <see cref="Read"/> reads.
/// </summary>
internal interface IArguments<T>
    where T : IArguments<T>
{
    /// <summary>Whether <c>datetime</c> must be sent, as all routes of the original want it. It is asked for first.</summary>
    static virtual bool HasDatetime => true;

    /// <summary>Also called for the document, with fields that are all empty.</summary>
    static abstract T Read(Fields fields);
}

/// <summary>A JSON object.</summary>
internal sealed class Body<T>(T value) : IEndpointParameterMetadataProvider
    where T : IArguments<T>
{
    public T Value => value;

    public static async ValueTask<Body<T>?> BindAsync(HttpContext context)
    {
        using var document = await Bodies.ParseAsync(context);
        return new(Bodies.Read<T>(new(document.RootElement, Bodies.TextsOf(context))));
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        Bodies.Describe(builder, Bodies.Takes<T>("application/json"));
}

/// <summary>A query.</summary>
internal sealed class Query<T>(T value) : IEndpointParameterMetadataProvider
    where T : IArguments<T>
{
    public T Value => value;

    public static ValueTask<Query<T>?> BindAsync(HttpContext context) =>
        ValueTask.FromResult<Query<T>?>(new(Bodies.Read<T>(Bodies.QueryOf(context))));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => Bodies.Describe(builder, operation =>
        operation.Parameters = [.. operation.Parameters ?? [], .. FieldsDocument.Of(fields => Bodies.Read<T>(fields)).Parameters]);
}

/// <summary>A form, with files perhaps, or the same as a JSON object.</summary>
internal sealed class Form<T>(T value, IFormFileCollection files) : IEndpointParameterMetadataProvider
    where T : IArguments<T>
{
    public T Value => value;

    public IFormFileCollection Files => files;

    public static async ValueTask<Form<T>?> BindAsync(HttpContext context)
    {
        using var document = await Bodies.TryParseAsync(context);
        if (document is not null)
        {
            return new(Bodies.Read<T>(new(document.RootElement, Bodies.TextsOf(context))), new FormFileCollection());
        }
        var form = await Bodies.FormAsync(context);
        return new(Bodies.Read<T>(new(Bodies.LastOfEach(form), Bodies.TextsOf(context))), form.Files);
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        Bodies.Describe(builder, Bodies.Takes<T>("multipart/form-data", "application/json"));
}

/// <summary>Reads arguments, leniently; what is refused is refused with 400 in the words of the route's family.</summary>
internal static class Bodies
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static T Read<T>(Fields fields)
        where T : IArguments<T>
    {
        if (T.HasDatetime)
        {
            fields.Datetime();
        }
        return T.Read(fields);
    }

    public static WireTexts TextsOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<WireTexts>() ?? WireTexts.User;

    /// <summary>The body as a JSON object, whatever content type it claims.</summary>
    public static async Task<JsonDocument> ParseAsync(HttpContext context)
    {
        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
        var document = TryParse(bytes.ToArray());
        if (document?.RootElement.ValueKind != JsonValueKind.Object)
        {
            document?.Dispose();
            throw Failure.Invalid(TextsOf(context).NotJson, code: "invalid_json");
        }
        return document;
    }

    /// <summary>
    /// The body of a route that takes forms as well, where it is a JSON object. Programs send one without saying so (<c>curl -d</c> calls
    /// everything a form). Null: a form, which is still to be read.
    /// </summary>
    public static async Task<JsonDocument?> TryParseAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            return await ParseAsync(context);
        }
        if (context.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var bytes = new MemoryStream();
        context.Response.RegisterForDispose(bytes);
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
        var document = TryParse(bytes.ToArray());
        if (document?.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }
        document?.Dispose();
        bytes.Position = 0;
        context.Request.Body = bytes;
        return null;
    }

    public static JsonElement? TryParse(string text)
    {
        using var document = TryParse(Encoding.UTF8.GetBytes(text));
        return document?.RootElement.Clone();
    }

    public static Fields QueryOf(HttpContext context) => new(
        context.Request.Query.ToDictionary(
            field => field.Key, field => field.Value.Count > 0 ? field.Value[^1] ?? "" : "", StringComparer.Ordinal),
        TextsOf(context));

    public static async Task<IFormCollection> FormAsync(HttpContext context)
    {
        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception wrong)
            when (wrong is InvalidDataException or (IOException { InnerException: null } and not BadHttpRequestException))
        {
            throw Failure.Invalid("The form cannot be read", code: "invalid_form");
        }
    }

    public static Dictionary<string, string> LastOfEach(IFormCollection form) =>
        form.ToDictionary(field => field.Key, field => field.Value.Count > 0 ? field.Value[^1] ?? "" : "", StringComparer.Ordinal);

    public static Action<OpenApiOperation> Takes<T>(params string[] contentTypes)
        where T : IArguments<T> => operation =>
    {
        var schema = FieldsDocument.Of(fields => Read<T>(fields)).Schema;
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = contentTypes.ToDictionary(type => type, _ => new OpenApiMediaType { Schema = schema }, StringComparer.Ordinal),
        };
    };

    public static void Describe(EndpointBuilder builder, Action<OpenApiOperation> describe) =>
        new Endpoint(builder).AddOpenApiOperationTransformer((operation, _, _) =>
        {
            describe(operation);
            return Task.CompletedTask;
        });

    // Duplicate names are looked for by reading the names, of which half of a surrogate pair is an invalid operation.
    private static JsonDocument? TryParse(byte[] bytes)
    {
        try
        {
            return Utf8.IsValid(bytes) ? JsonDocument.Parse(bytes, Strict) : null;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private sealed class Endpoint(EndpointBuilder builder) : IEndpointConventionBuilder
    {
        public void Add(Action<EndpointBuilder> convention) => convention(builder);
    }
}

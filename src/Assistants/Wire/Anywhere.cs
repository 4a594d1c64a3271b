using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;

namespace Stoa.Assistants.Wire;

/// <summary>A query, or where there is none a body: a JSON object, or a form whatever content type it claims.</summary>
internal sealed class Anywhere<T>(T value) : IEndpointParameterMetadataProvider
    where T : IArguments<T>
{
    private const int LongestForm = 64 << 10;

    public T Value => value;

    public static async ValueTask<Anywhere<T>?> BindAsync(HttpContext context)
    {
        if (context.Request.Query.Count > 0)
        {
            return new(Bodies.Read<T>(Bodies.QueryOf(context)));
        }
        using var reader = new StreamReader(context.Request.Body);
        var buffer = new char[LongestForm];
        var text = new string(buffer, 0, await reader.ReadBlockAsync(buffer, context.RequestAborted));
        var words = Bodies.TextsOf(context);
        return new(Bodies.Read<T>(Bodies.TryParse(text) is { ValueKind: System.Text.Json.JsonValueKind.Object } body
            ? new Fields(body, words)
            : new(QueryHelpers.ParseQuery(text).ToDictionary(
                field => field.Key, field => field.Value.Count > 0 ? field.Value[^1] ?? "" : "", StringComparer.Ordinal), words)));
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder)
    {
        Query<T>.PopulateMetadata(parameter, builder);
        Bodies.Describe(builder, operation =>
        {
            Bodies.Takes<T>("application/json", "application/x-www-form-urlencoded")(operation);
            foreach (var sent in operation.Parameters?.OfType<Microsoft.OpenApi.OpenApiParameter>() ?? [])
            {
                sent.Required = false;
            }
        });
    }
}

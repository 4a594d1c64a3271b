using Microsoft.AspNetCore.Builder;
using Microsoft.OpenApi;

namespace Stoa.Gateway.Uploads;

/// <summary>A field of a form, for the API document.</summary>
internal sealed record FormField(string Name, string Description, bool IsFile = false, bool IsRequired = false);

/// <summary>Says in the API document which forms a route reads, where it reads them itself.</summary>
internal static class FormDocument
{
    public static RouteHandlerBuilder TakesForm(this RouteHandlerBuilder route, params FormField[] fields) =>
        route.Takes("multipart/form-data", fields);

    /// <summary>An object of texts, in place of the form or alone.</summary>
    public static RouteHandlerBuilder TakesTexts(this RouteHandlerBuilder route, params FormField[] fields) =>
        route.Takes("application/json", fields);

    private static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, string type, FormField[] fields) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            var body = operation.RequestBody as OpenApiRequestBody ?? new OpenApiRequestBody { Required = true };
            body.Content ??= new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal);
            body.Content[type] = new() { Schema = SchemaOf(fields) };
            operation.RequestBody = body;
            return Task.CompletedTask;
        });

    private static OpenApiSchema SchemaOf(FormField[] fields) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = fields.ToDictionary(
            field => field.Name,
            IOpenApiSchema (field) => new OpenApiSchema
            {
                Type = JsonSchemaType.String, Format = field.IsFile ? "binary" : null, Description = field.Description,
            },
            StringComparer.Ordinal),
        Required = fields.Where(field => field.IsRequired).Select(field => field.Name).ToHashSet(StringComparer.Ordinal),
    };
}

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Platform.Hosting;

/// <summary>
/// What the API documents say of access and refusals: the <see cref="AccessRule"/> of the route, in the same words everywhere.
/// </summary>
internal static class OpenApiAccess
{
    private const string Rule = "x-stoa-rule";

    public static void Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        operation.Security = [];
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<AccessRule>().LastOrDefault() is not { } rule)
        {
            return;
        }
        operation.Extensions ??= new Dictionary<string, IOpenApiExtension>(StringComparer.Ordinal);
        operation.Extensions[Rule] = new JsonNodeExtension(JsonValue.Create(rule.Name));
        operation.Responses ??= [];
        operation.Responses["4XX"] = new OpenApiResponse { Description = "The request is refused, in the words of this API" };
        operation.Responses["5XX"] = new OpenApiResponse { Description = "The provider or the server failed, in the words of this API" };
        foreach (var scheme in rule.Schemes)
        {
            context.Document!.AddComponent<IOpenApiSecurityScheme>(scheme.Name, Described(scheme));
            operation.Security.Add(new() { [new OpenApiSecuritySchemeReference(scheme.Name, context.Document)] = [] });
        }
    }

    private static OpenApiSecurityScheme Described(AccessScheme scheme) => scheme.Place switch
    {
        AccessPlace.Bearer => new() { Type = SecuritySchemeType.Http, Scheme = "bearer" },
        AccessPlace.Header => new() { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = scheme.Parameter },
        AccessPlace.Query => new() { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Query, Name = scheme.Parameter },
        AccessPlace.Cookie => new() { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Cookie, Name = scheme.Parameter },
    };
}

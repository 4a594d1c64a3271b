using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.OpenApi;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Users;

namespace Stoa.Feedback.Wire;

/// <summary>What a route takes, in the API document: handlers read queries and bodies themselves, so the readers are asked.</summary>
internal static class WireDocument
{
    /// <summary>The route reads its query with <paramref name="read"/>.</summary>
    public static TBuilder TakesQuery<TBuilder, T>(this TBuilder route, Func<WireQuery, T> read)
        where TBuilder : IEndpointConventionBuilder => route.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        operation.Parameters = [.. operation.Parameters ?? [], .. WireQuery.Describe(read)];
        return Task.CompletedTask;
    });

    /// <summary>All of the routes whose handlers take the acting user say how he is named.</summary>
    public static TBuilder DescribesActingUser<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder => routes.AddOpenApiOperationTransformer((operation, context, _) =>
    {
        var handlers = context.Description.ActionDescriptor.EndpointMetadata.OfType<MethodInfo>();
        if (handlers.Any(handler => handler.GetParameters().Any(parameter => parameter.ParameterType == typeof(Acting))))
        {
            operation.Parameters =
            [
                .. operation.Parameters ?? [], Named(ActingUser.QueryName, ParameterLocation.Query),
                Named(ActingUser.HeaderName, ParameterLocation.Header),
            ];
        }
        return Task.CompletedTask;

        static OpenApiParameter Named(string name, ParameterLocation place) => new()
        {
            Name = name, In = place, Description = "auth_method:username", Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };
    });

    /// <summary>The route reads its body with one of these.</summary>
    public static TBuilder TakesBody<TBuilder>(this TBuilder route, params Func<WireBody, object>[] shapes)
        where TBuilder : IEndpointConventionBuilder => route.TakesBody(isRequired: true, shapes);

    /// <summary>The same where no body is an answer too.</summary>
    public static TBuilder MayTakeBody<TBuilder>(this TBuilder route, Func<WireBody, object> shape)
        where TBuilder : IEndpointConventionBuilder => route.TakesBody(isRequired: false, shape);

    private static TBuilder TakesBody<TBuilder>(this TBuilder route, bool isRequired, params Func<WireBody, object>[] shapes)
        where TBuilder : IEndpointConventionBuilder => route.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        OpenApiSchema[] schemas = [.. shapes.Select(WireBody.Describe)];
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = isRequired,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["application/json"] = new() { Schema = schemas is [var only] ? only : new OpenApiSchema { AnyOf = [.. schemas] } },
            },
        };
        return Task.CompletedTask;
    });
}

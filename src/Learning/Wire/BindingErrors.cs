using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;

namespace Stoa.Learning.Wire;

/// <summary>
/// Which parameters of the path and the query kept the framework from calling the handler. It does not tell, so they are looked at again:
/// only for the answer to a request that was refused already.
/// </summary>
internal static class BindingErrors
{
    public static WireErrors Of(HttpContext context)
    {
        var errors = new WireErrors();
        foreach (var parameter in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            var info = parameter.ParameterInfo;
            if (info.GetCustomAttribute<FromQueryAttribute>() is { } query)
            {
                var name = query.Name ?? info.Name!;
                Check(errors, info, ["query", name], context.Request.Query[name], parameter.IsOptional || info.HasDefaultValue);
            }
            else if (info.GetCustomAttribute<FromRouteAttribute>() is { } route)
            {
                var name = route.Name ?? info.Name!;
                Check(errors, info, ["path", name], context.GetRouteValue(name)?.ToString(), isOptional: false);
            }
        }
        return errors;
    }

    private static void Check(WireErrors errors, ParameterInfo parameter, object[] place, StringValues sent, bool isOptional)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (sent.Count == 0)
        {
            if (!isOptional)
            {
                errors.Add("missing", place, "Field required");
            }
        }
        else if (type == typeof(int) || type == typeof(int[]))
        {
            for (var index = 0; index < sent.Count; index++)
            {
                if (!int.TryParse(sent[index], out _))
                {
                    errors.Add("int_parsing", type == typeof(int) ? place : [.. place, index],
                        "Input should be a valid integer, unable to parse string as an integer", Text(sent[index]));
                }
            }
        }
        else if (type == typeof(bool) && !bool.TryParse(sent, out _))
        {
            errors.Add("bool_parsing", place, "Input should be a valid boolean, unable to interpret input", Text(sent));
        }
    }

    private static JsonElement Text(string? sent) => JsonElement.Parse($"\"{JsonEncodedText.Encode(sent ?? "")}\"");
}

using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>A body that says itself what is wrong with it.</summary>
public interface IChecked
{
    /// <summary>All that is wrong, in the order of the fields; nothing when it may be handled.</summary>
    IEnumerable<FieldError> Check();
}

public static class Checking
{
    /// <summary>Bodies of these routes that are <see cref="IChecked"/> are refused before their handler sees them, with all that is wrong.</summary>
    public static TBuilder CheckRequests<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder => routes.AddEndpointFilterFactory(static (route, next) =>
        {
            var body = Array.FindIndex(route.MethodInfo.GetParameters(), IsChecked);
            return body < 0 ? next : call =>
            {
                call.GetArgument<IChecked>(body).ThrowIfWrong();
                return next(call);
            };
        });

    /// <exception cref="Failure">Invalid, with every wrong field.</exception>
    public static void ThrowIfWrong(this IChecked body)
    {
        if (body.Check().ToList() is [var first, ..] wrong)
        {
            throw new Failure(FailureKind.Invalid, "invalid_request", first.Message, wrong);
        }
    }

    private static bool IsChecked(ParameterInfo parameter) => parameter.ParameterType.IsAssignableTo(typeof(IChecked));
}

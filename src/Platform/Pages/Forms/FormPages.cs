using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>The routes of forms, and how their handlers answer.</summary>
public static class FormPages
{
    private const int LargestForm = 16 << 10;

    /// <summary>Pages and their forms below a path: whoever looks is known there, forged and oversized forms are refused.</summary>
    public static RouteGroupBuilder MapForms(this IEndpointRouteBuilder routes, string path = "") =>
        routes.MapGroup(path).AsPage().WithMetadata(new RequestSizeLimitAttribute(LargestForm));

    /// <summary>Shows a page.</summary>
    public static RazorComponentResult Show<TPage>(params (string Name, object? Value)[] parameters)
        where TPage : IComponent =>
            new RazorComponentResult<TPage>(parameters.ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal));

    /// <summary>
    /// Does what a form asks for and leads on. What the visitor can mend is told on the page of the form, with what he gave; what he
    /// cannot is an error page.
    /// </summary>
    public static async Task<IResult> RunAsync<TPage>(Func<Task<IResult>> act, params (string Name, string? Value)[] given)
        where TPage : FormPage
    {
        try
        {
            return await act();
        }
        catch (Failure failure) when (failure.Kind is FailureKind.Invalid or FailureKind.Conflict or FailureKind.Unauthenticated
            || failure.Code == "wrong_setup_token")
        {
            return new RazorComponentResult<TPage>(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                [nameof(FormPage.Problem)] = failure,
                [nameof(FormPage.Given)] = given.ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal),
            })
            {
                StatusCode = PageErrors.Instance.StatusOf(failure),
            };
        }
    }

    /// <summary>Pages of those who are signed in: others are led to the sign-in and back.</summary>
    public static RouteGroupBuilder ForSignedIn(this RouteGroupBuilder pages, MemberRole role) =>
        pages.ForSignedIn(caller => caller.Require(role));

    /// <param name="check">Throws for whoever may not see them.</param>
    public static RouteGroupBuilder ForSignedIn(this RouteGroupBuilder pages, Action<Caller>? check = null)
    {
        pages.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (http.SignedIn() is not { } caller)
            {
                var here = HttpMethods.IsGet(http.Request.Method) ? http.Request.Path + http.Request.QueryString : http.Request.Path.Value;
                return TypedResults.LocalRedirect($"{SignInRoutes.Path}?return={Uri.EscapeDataString(here!)}");
            }
            check?.Invoke(caller);
            return await next(context);
        });
        return pages;
    }
}

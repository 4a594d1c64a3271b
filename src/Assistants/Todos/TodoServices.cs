using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Cortexes;
using Stoa.Platform;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Assistants.Todos;

internal static class TodoServices
{
    public static IServiceCollection AddTodos(this IServiceCollection services)
    {
        services.AddSettings<TodoOptions>(TodoOptions.Section);
        services.AddScoped<TodoStore>();
        services.AddScoped<TodoLists>();
        services.AddScoped<TodoSelection>();
        services.AddJob<ExtractTodos, ExtractTodosCortex>(ExtractTodos.Kind, AssistantsJson.Default.ExtractTodos, CortexRules.Default);
        services.AddJob<RescheduleTodo, RescheduleTodoCortex>(
            RescheduleTodo.Kind, AssistantsJson.Default.RescheduleTodo, CortexRules.Default);
        services.AddJob<SelectQuietExecutions, SelectQuietExecutionsHandler>(
            SelectQuietExecutions.Kind, AssistantsJson.Default.SelectQuietExecutions, ScheduleRules.Default);
        services.AddJob<SelectOverdueTodos, SelectOverdueTodosHandler>(
            SelectOverdueTodos.Kind, AssistantsJson.Default.SelectOverdueTodos, ScheduleRules.Default);
        // After an outage both run once, and find all that was left meanwhile.
        services.AddSchedule(SelectQuietExecutions.Kind, new SelectQuietExecutions(), TimeSpan.FromMinutes(10));
        return services.AddSchedule(SelectOverdueTodos.Kind, new SelectOverdueTodos(), TimeSpan.FromHours(1));
    }

    public static void MapTodos(this IEndpointRouteBuilder surface)
    {
        surface.MapOwnTodos();
        surface.MapTodoCallbacks();
    }
}

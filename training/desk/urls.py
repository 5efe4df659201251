from django.urls import path

from training import home
from training.desk import map_pages, pages, places

urlpatterns = [
    path("", home.home, name="home"),
    path("places/", places.places, name="places"),
    path("review/", pages.desk, name="review"),
    path("review/maps/", map_pages.maps, name="review-maps"),
    path("review/agreement/", map_pages.agreement, name="review-agreement"),
    path("review/preferences/", map_pages.preferences, name="review-preferences"),
    path("review/say/", pages.say_it, name="review-say"),
    path("review/queues/", pages.save_queue, name="review-save-queue"),
    path("review/queues/<slug:slug>/delete/", pages.delete_queue, name="review-delete-queue"),
    path("review/items/<int:run>/<int:number>/", pages.item, name="review-item"),
    path("review/items/<int:run>/<int:number>/hold/", pages.hold, name="review-hold"),
]

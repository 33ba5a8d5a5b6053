9b5ecadc {"chain":"00000000","first_seq":1,"format":"penstock journal","segment":1,"version":1}
70144c9c {"n":7,"text":"a line\nwith \"quotes\" and é"}
cace3c2c {"n":1,"text":"a line\nwith \"quotes\" and é"}
6797d38f {"n":2,"text":"a line\nwith \"quotes\" and é"}
